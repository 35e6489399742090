package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// startLab starts the lab and returns the lines that it prints, and the address
// of its page.
func startLab(t *testing.T, args ...string) (lines []string, page string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), self, append([]string{"lab"}, args...)...)
	cmd.Env = append(os.Environ(), asMain+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		lines = append(lines, scanner.Text())
		if words := strings.Fields(scanner.Text()); len(words) == 3 && words[0] == "page" {
			page = words[2]
		}
		if strings.Contains(scanner.Text(), "Ctrl-C ends it") {
			return lines, page
		}
	}
	t.Fatalf("it printed %q", lines)
	return nil, ""
}

// look opens the page as a user's browser does, and says how long that took.
func look(t *testing.T, page, user string) (string, time.Duration) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: time.Minute}
	if user != "" {
		browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		login, err := browser.PostForm(strings.Replace(page, "/productpage", "/login", 1), url.Values{"username": {user}})
		if err != nil {
			t.Fatal(err)
		}
		login.Body.Close()
	}
	began := time.Now()
	answer, err := browser.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), time.Since(began)
}

func TestTheSixSecondPageCanBeSeenInABrowser(t *testing.T) {
	lines, page := startLab(t, "delay-jason")
	if said := strings.Join(lines, "\n"); !strings.Contains(said, "rule   VirtualService        meshchaos-ratings of given, apply") ||
		!strings.Contains(said, "load   jason                 GET http://productpage:9080/productpage, signed in as jason") ||
		!strings.Contains(said, "bookinfo is running under delay-jason of the library; Ctrl-C ends it") {
		t.Errorf("it printed\n%s", said)
	}
	if seen := strings.Join(lines[max(0, len(lines)-4):], "\n"); !strings.Contains(seen, page) {
		t.Errorf("a small terminal ends with\n%s\nwithout the page", seen)
	}
	const lost = "Sorry, product reviews are currently unavailable"
	if body, took := look(t, page, "jason"); !strings.Contains(body, lost) || took < 5900*time.Millisecond {
		t.Errorf("jason's page took %v, without its reviews: %v", took, strings.Contains(body, lost))
	}
	if body, took := look(t, page, ""); strings.Contains(body, lost) || took > 3*time.Second {
		t.Errorf("a page of somebody else took %v, without its reviews: %v", took, strings.Contains(body, lost))
	}
}

func TestAStepHasTheRulesOfThoseBeforeItToo(t *testing.T) {
	lines, _ := startLab(t, "timeout-reviews", "--step", "half-a-second", "--set", "steps[0].apply[0].spec.http[0].fault.delay.fixedDelay=1s")
	said := strings.Join(lines, "\n")
	for _, want := range []string{"meshchaos-reviews of given, half-a-second", "ratings of slow-ratings"} {
		if !strings.Contains(said, want) {
			t.Errorf("it printed\n%s\nwithout %s", said, want)
		}
	}
}

func TestWhatIsGivenAloneIsAStepOfTheLab(t *testing.T) {
	lines, page := startLab(t, "delay-jason", "--step", "given")
	if said := strings.Join(lines, "\n"); strings.Contains(said, "apply") {
		t.Errorf("it printed\n%s", said)
	}
	if body, took := look(t, page, "jason"); !strings.Contains(body, "glyphicon-star") || took > 3*time.Second {
		t.Errorf("jason's page took %v, and has stars: %v", took, strings.Contains(body, "glyphicon-star"))
	}
}
