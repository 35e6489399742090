//go:build linux && !race

package agent

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestAProcessThatTakesTooMuchMemoryDies(t *testing.T) {
	t.Setenv(processEnv, "memory")
	p, err := Start(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	select {
	case <-p.gone:
	case <-time.After(60 * time.Second):
		t.Fatal("it takes as much memory as it likes")
	}
	if err := p.fate(t.Context()); err == nil || !strings.Contains(err.Error(), "died: exit status 2") {
		t.Errorf("of an agent that takes 1 GiB: %v", err)
	}
}
