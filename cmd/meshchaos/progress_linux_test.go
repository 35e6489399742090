package main

import (
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/report"
)

// The bar asks how many survived from a goroutine of its own.
func TestMutantsThatEndWhileTheBarIsDrawnKeepNobodyWaiting(t *testing.T) {
	screen, tty := openTerminal(t)
	drain(screen)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 10 {
			p := &mutantProgress{progress: newProgress(tty)}
			p.begin(100)
			for range 99 {
				p.done(report.Mutant{Fate: report.Survived})
			}
			p.end()
		}
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the bar waits for the mutants, and they for the bar")
	}
}
