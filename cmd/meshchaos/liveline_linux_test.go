package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

func TestWhatIsWaitedForIsOneLineOfATerminal(t *testing.T) {
	screen, tty := openTerminal(t)
	all := make(chan string)
	go func() {
		text, _ := io.ReadAll(screen) // ends with an error, for the other end is closed
		all <- string(text)
	}()
	line := newLiveLine(tty)
	line.wait("waiting for " + strings.Repeat("Größe ", 30))
	line.wait("waiting for one pod")
	line.tell("Service/httpbin created")
	line.clear()
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(<-all, "\r\x1b[K")
	if len(parts) != 5 || !strings.HasSuffix(parts[2], " waiting for one pod") || !strings.HasSuffix(parts[3], " Service/httpbin created\r\n") || parts[4] != "" {
		t.Errorf("on the terminal there was %q", parts)
	}
	for _, part := range parts {
		if n := utf8.RuneCountInString(strings.TrimSpace(part)); n > 79 {
			t.Errorf("%d columns of 80, which a terminal folds: %q", n, part)
		}
	}
}

func TestWhatIsWaitedForIsToldNowAndThenElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		line := newLiveLine(&out)
		for i := range 12 { // seconds
			line.wait([]string{"waiting for a", "waiting for b"}[min(i/2, 1)])
			time.Sleep(time.Second)
		}
		line.tell("done")
		line.clear()
		if want := "   0.0s waiting for a\n   5.0s waiting for b\n  12.0s done\n"; out.String() != want {
			t.Errorf("told was\n%swant\n%s", out.String(), want)
		}
	})
}
