package loadgen

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// open logs in, where the plan asks for that.
func (c *httpConn) open(ctx context.Context) error {
	return c.login(func(req *http.Request) (status, error) {
		wire, err := wireOf(req)
		if err != nil {
			return status{}, err
		}
		if err := c.connect(ctx, time.Now().Add(c.timeout)); err != nil {
			return status{}, err
		}
		return c.exchange(req, wire)
	})
}

func loginRequest(plan *HTTP) (*http.Request, error) {
	form := url.Values{}
	for name, value := range plan.Login.Form {
		form.Set(name, value)
	}
	req, err := http.NewRequest(http.MethodPost, plan.Login.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	setHost(req, plan.Header)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	setRequestID(req)
	return req, nil
}
