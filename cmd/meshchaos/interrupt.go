package main

import (
	"context"
	"os"
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
