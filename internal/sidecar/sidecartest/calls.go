package sidecartest

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

// Answer is an answer read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	Took   time.Duration
}

// Get sends headers given as name, value, name, value.
func Get(client *http.Client, url string, headers ...string) (Answer, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return Answer{}, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	req.Host = req.Header.Get("Host") // Empty: the URL's.
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, string(body), time.Since(began)}, err
}

// Unused is an address on which nothing listens: a port that was free a moment ago may be
// another test's by now.
const Unused = "127.0.0.1:1"

// Until polls a condition of the outside world.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}

// ClusterStat is the name of a stat of a cluster whose service is in default.
func ClusterStat(cluster, name string) string {
	return "cluster." + cluster + ".default.svc.cluster.local;." + name
}

// Line reads a line of a log.
func Line(t testing.TB, log *bufio.Reader) string {
	t.Helper()
	text, err := log.ReadString('\n')
	if err != nil {
		t.Fatalf("%v after %q", err, text)
	}
	return text
}
