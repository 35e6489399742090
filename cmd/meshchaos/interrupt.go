package main

import (
	"context"
	"os"
	"time"
)

// hurryKey is where a context of interruptible holds its channel.
type hurryKey struct{}

// interruptible returns a context that the first signal ends. The second one
// closes the channel that hurry returns; neither it nor a further one ends the
// program, which has rules to undo.
func interruptible(signals <-chan os.Signal) context.Context {
	hurry := make(chan struct{})
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), hurryKey{}, hurry))
	go func() {
		<-signals
		cancel()
		<-signals
		close(hurry)
	}()
	return ctx
}

// hurry returns what is closed when nobody wants to wait any more; nil: never.
func hurry(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(hurryKey{}).(chan struct{})
	return c
}

// patient returns a context that outlives the signals: it ends after a limit, or
// a shorter one that begins when nobody wants to wait any more.
func patient(ctx context.Context, limit, hurried time.Duration) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	go func() {
		select {
		case <-lasting.Done():
			return
		case <-hurry(ctx):
		}
		select {
		case <-lasting.Done():
		case <-time.After(hurried):
			cancel()
		}
	}()
	return lasting, cancel
}
