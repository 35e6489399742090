package main

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheFirstSignalEndsTheRunAndTheSecondItsPatienceAndTheThirdTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal)
		var gaveUp *unfinished
		ctx := interruptible(signals, func(u *unfinished) { gaveUp = u })
		closing, cancel := patient(ctx, time.Minute, time.Second)
		defer cancel()
		hurried := func() bool {
			select {
			case <-hurry(ctx):
				return true
			default:
				return false
			}
		}
		if ctx.Err() != nil || hurried() {
			t.Error("it is over before a signal came")
		}
		signals <- os.Interrupt
		synctest.Wait()
		if ctx.Err() == nil || hurried() || closing.Err() != nil {
			t.Errorf("after one signal: %v, in a hurry: %v, closing: %v", ctx.Err(), hurried(), closing.Err())
		}
		signals <- os.Interrupt
		began := time.Now()
		<-closing.Done()
		if took := time.Since(began); !hurried() || took != time.Second {
			t.Errorf("after two signals: in a hurry: %v, closing ended after %s; want a second", hurried(), took)
		}
		if gaveUp != nil {
			t.Error("two signals end the program")
		}
		signals <- os.Interrupt
		synctest.Wait()
		if gaveUp != unfinishedOf(ctx) {
			t.Error("three do not")
		}
	})
}

func TestWithoutASignalThereIsNoHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		closing, cancel := patient(context.Background(), time.Minute, time.Second)
		defer cancel()
		<-closing.Done()
		if took := time.Since(began); took != time.Minute {
			t.Errorf("closing ended after %s; want a minute", took)
		}
	})
}
