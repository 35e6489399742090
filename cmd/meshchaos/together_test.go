package main

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

// Runs beside each other are told of every ten seconds where nothing can be written over.
func TestRunsBesideEachOtherAreNotSilentOnAPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		going := newTogether(&out)
		tell := going.begins("slow", 1, 2)
		tell("load under the rule")
		time.Sleep(25 * time.Second)
		going.ended("slow", "PASS")
		going.end()
		want := "slow begins (1 of 2)\nslow: load under the rule, for 10s\nslow: load under the rule, for 20s\nslow has ended: PASS\n"
		if out.String() != want {
			t.Errorf("it said\n%swant\n%s", &out, want)
		}
	})
}
