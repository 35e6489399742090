package main

import (
	"context"
	"os"
	"time"
)

// interruptKey is where a context of interruptible holds its interrupt.
type interruptKey struct{}

// interrupt is what a command knows of the signals that came, and has told of what it
// would leave if it ended now.
type interrupt struct {
	hurry      chan struct{}
	unfinished unfinished
}

// interruptible returns a context that the first signal ends. The second one closes
// the channel that hurry returns. Neither ends the program, which has rules to undo;
// the third calls giveUp with what would be left, and is the last that is heeded.
func interruptible(signals <-chan os.Signal, giveUp func(*unfinished)) context.Context {
	i := &interrupt{hurry: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), interruptKey{}, i))
	go func() {
		<-signals
		cancel()
		<-signals
		close(i.hurry)
		<-signals
		giveUp(&i.unfinished)
	}()
	return ctx
}

// hurry returns what is closed when nobody wants to wait any more; nil: never.
func hurry(ctx context.Context) <-chan struct{} {
	if i, _ := ctx.Value(interruptKey{}).(*interrupt); i != nil {
		return i.hurry
	}
	return nil
}

// unfinishedOf returns what a command tells of what it would leave.
func unfinishedOf(ctx context.Context) *unfinished {
	if i, _ := ctx.Value(interruptKey{}).(*interrupt); i != nil {
		return &i.unfinished
	}
	return new(unfinished) // nobody asks
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
