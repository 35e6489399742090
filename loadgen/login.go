package loadgen

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// open logs in, where the plan asks for that.
func (c *httpConn) open(ctx context.Context) error {
	if c.plan.Login == nil {
		return nil
	}
	if err := c.login(ctx); err != nil {
		return fmt.Errorf("logging in at %q: %w", c.plan.Login.URL, err)
	}
	return nil
}

func (c *httpConn) login(ctx context.Context) error {
	req, err := loginRequest(c.plan)
	if err != nil {
		return err
	}
	wire, err := wireOf(req)
	if err != nil {
		return err
	}
	if err := c.connect(ctx, time.Now().Add(c.timeout)); err != nil {
		return err
	}
	got, err := c.exchange(req, wire)
	switch {
	case err != nil:
		return err
	case got.code >= 400:
		return fmt.Errorf("it was answered %s; check the form", got.text)
	case len(c.jar.Cookies(c.url)) == 0:
		return fmt.Errorf("it was answered %s without a cookie for %q; check the form", got.text, c.plan.URL)
	}
	return nil
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
