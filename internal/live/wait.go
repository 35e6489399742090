// Package live waits until the proxies run a change of the rules, and later
// until they do so no more.
//
// It asks the proxies themselves: each Envoy's /config_dump shows the routes,
// listeners and clusters in force. Istio's status tells less, as it is not about
// what was delivered. The package may import internal/envoy, internal/rules,
// internal/policy and internal/mesh.
package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// Awaited is a change that is to be in force. A nil Change.After is in force
// when nothing is left of Change.Before.
type Awaited struct {
	Change rules.Change
	// Mark is part of what rules.Mark wrote into Change.After, and stands in no
	// other generation of it; empty for a change that goes back to what was there
	// before the run.
	Mark string
}

// Seen is how the wait for a change ended.
type Seen struct {
	Proxies []string  // the names of those that run it
	At      time.Time // when the last of them was seen to
	Err     error     // why it is not in force, and what the proxies run instead
}

// Wait returns, for each change, the proxies that run it, once all do which it
// concerns, or an error after the limit, which is above 0. Istio takes a fraction
// of a second as a rule, and 40 s have been reported. Services are those of the
// namespace: their ports narrow down what is asked for.
//
// The proxies are asked in rounds, at most 8 at a time, each for all that the
// changes need together; one that has run a change twice in a row, or once if it
// is prompt, is not asked about it again. As long as one is known to be behind, it is
// asked before all others, and they only when it has followed: Istio tells all of them
// at about the same time, and has more to do for being asked.
//
// Of some changes nothing is to be seen yet: a Gateway's TCP server opens its
// listener only when a VirtualService is bound to it, and a gateway that has no
// listener logs nothing. For these no proxy is returned, and what follows is to be
// waited for. A change that no proxy could ever show is an error.
func Wait(ctx context.Context, proxies []mesh.Proxy, services []mesh.Service, awaited []Awaited, limit time.Duration) []Seen {
	seen := make([]Seen, len(awaited))
	var open []*waiting
	for i, a := range awaited {
		look, err := lookFor(a, services)
		switch {
		case err != nil:
			seen[i].Err = fmt.Errorf("waiting for %s: %w", a.Change.Ref(), err)
		case look == nil:
			seen[i].At = time.Now()
		default:
			open = append(open, &waiting{Awaited: a, look: *look, seen: &seen[i], standings: make([]standing, len(proxies))})
		}
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	repeat(limited, func(ctx context.Context) state {
		if len(open) == 0 {
			return done
		}
		if scout := scoutOf(proxies, open); scout >= 0 && time.Since(began) < min(scoutFor, limit/2) {
			if ask(ctx, proxies, open, scout, scout+1); isBehind(open, scout) {
				return scouting
			}
		}
		ask(ctx, proxies, open, 0, len(proxies))
		return settle(proxies, &open)
	})
	for _, w := range open {
		w.seen.Proxies, w.seen.Err = nil, w.failure(ctx, proxies, time.Since(began).Round(100*time.Millisecond))
	}
	return seen
}

// waiting is a change that is waited for.
type waiting struct {
	Awaited
	look      look
	seen      *Seen
	standings []standing // one for each proxy
}

// standing is how a proxy stands to a change.
type standing struct {
	asked     bool
	concerned bool
	instead   string // what a proxy that is concerned has instead; empty: it runs the change
	streak    int    // how often in a row it was not behind
}

// oftenEnough is twice in a row: a proxy's workers take a new configuration a moment
// after its main thread shows it. A prompt one has no such moment.
const oftenEnough = 2

func (s standing) settled() bool { return s.streak >= oftenEnough }

// wants says whether a proxy is still to be asked about the change.
func (w *waiting) wants(i int, proxy mesh.Proxy) bool {
	return w.look.reaches(proxy) && (!w.standings[i].settled() || !w.standings[i].concerned)
}

// asking bounds how many proxies are asked at a time: each takes a connection
// through the API server.
const asking = 8

// answerLimit is how long a proxy may take to answer once. A connection that was
// lost without a word would else be waited for until the whole wait is over.
const answerLimit = 15 * time.Second

// scoutOf returns the proxy to ask before all others: one that is behind or, if none was
// asked yet, a load workload's, which most changes concern; -1: any.
func scoutOf(proxies []mesh.Proxy, open []*waiting) int {
	for i := range proxies {
		if isBehind(open, i) {
			return i
		}
	}
	return slices.IndexFunc(proxies, func(p mesh.Proxy) bool { return p.Client && p.Borrows == "" && !open[0].asked() })
}

// asked says whether any proxy was asked about the change.
func (w *waiting) asked() bool {
	return slices.ContainsFunc(w.standings, func(s standing) bool { return s.asked })
}

// isBehind says whether a proxy has something else than one of the changes.
func isBehind(open []*waiting, i int) bool {
	return slices.ContainsFunc(open, func(w *waiting) bool { return w.standings[i].concerned && w.standings[i].instead != "" })
}

// ask asks each proxy from one to before another for all that is open, and once more in
// a moment if it runs all of that.
func ask(ctx context.Context, proxies []mesh.Proxy, open []*waiting, from, to int) {
	var group errgroup.Group
	slots := make(chan struct{}, asking)
	for i := from; i < to; i++ {
		var asked []*waiting
		for _, w := range open {
			if w.wants(i, proxies[i]) {
				asked = append(asked, w)
			}
		}
		if len(asked) == 0 {
			continue
		}
		group.Go(func() error {
			askOne(ctx, slots, proxies[i], i, asked)
			if slices.ContainsFunc(asked, func(w *waiting) bool { return w.standings[i].streak != oftenEnough-1 }) {
				return nil
			}
			select {
			case <-ctx.Done():
			case <-time.After(shortPause):
				askOne(ctx, slots, proxies[i], i, asked)
			}
			return nil
		})
	}
	_ = group.Wait() // what a proxy fails with is in its standing
}

// askOne asks the i-th proxy once.
func askOne(ctx context.Context, slots chan struct{}, proxy mesh.Proxy, i int, asked []*waiting) {
	slots <- struct{}{}
	defer func() { <-slots }()
	answer, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	v := newView(proxy, asked)
	for _, w := range asked {
		w.standings[i].take(ctx, answer, w.look, v)
	}
}

// take asks about one change, as long as answer lasts. What was cut short by the
// end of ctx tells less than the answer before.
func (s *standing) take(ctx, answer context.Context, look look, v *view) {
	concerned, instead, err := look.judge(answer, v)
	if err != nil {
		concerned, instead = true, err.Error()
	}
	if ctx.Err() != nil && s.asked {
		return
	}
	streak := s.streak + 1
	switch {
	case concerned && instead != "":
		streak = 0
	case v.proxy.Prompt:
		streak = oftenEnough
	}
	*s = standing{true, concerned, instead, streak}
}

// settle takes out what is in force everywhere.
func settle(proxies []mesh.Proxy, open *[]*waiting) state {
	reached := confirming
	var left []*waiting
	for _, w := range *open {
		running, behind, unsure, early := 0, 0, 0, false
		w.seen.Proxies = nil
		for i, proxy := range proxies {
			switch s := w.standings[i]; {
			case !w.look.reaches(proxy):
			case s.concerned && s.instead != "":
				behind++
			case !s.settled():
				unsure++
			case s.concerned:
				running++
				w.seen.Proxies = append(w.seen.Proxies, proxy.Name)
			case proxy.Gateway:
				early = w.look.early
			}
		}
		switch {
		case behind+unsure == 0 && (running > 0 || early || w.Change.After == nil):
			w.seen.At = time.Now()
			continue
		case behind > 0 || unsure == 0:
			reached = pending
		}
		left = append(left, w)
	}
	*open = left
	if len(left) == 0 {
		return done
	}
	return reached
}

// most is how many proxies an error names.
const most = 5

// failure words why a change is not in force.
func (w *waiting) failure(ctx context.Context, proxies []mesh.Proxy, waited time.Duration) error {
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return fmt.Errorf("waiting for %s: %w", w.Change.Ref(), err)
	}
	var behind []string
	for i, s := range w.standings {
		if s.concerned && s.instead != "" {
			behind = append(behind, proxies[i].Name+": "+s.instead)
		}
	}
	if len(behind) == 0 {
		return fmt.Errorf("waiting for %s: after %s no proxy has anything for it; is there such a service, and a pod with the labels that it may ask for, and is the namespace injected with sidecars?", w.Change.Ref(), waited)
	}
	if more := len(behind) - most; more > 0 {
		behind = append(behind[:most], fmt.Sprintf("and so for %d more", more))
	}
	return fmt.Errorf("waiting for %s: after %s it is not in force everywhere: %s; look at istioctl proxy-status and at the log of istiod",
		w.Change.Ref(), waited, strings.Join(behind, "; "))
}

// state is where a wait stands after a round.
type state int

const (
	pending    state = iota // some proxy is behind
	scouting                // that one is which was asked first
	confirming              // none is, and some are to be asked once more
	done
)

const (
	shortPause = 50 * time.Millisecond
	longPause  = 500 * time.Millisecond

	// One proxy is asked often, while Istio may still be about to tell it.
	scoutPause = 25 * time.Millisecond
	scoutFor   = 2 * time.Second
)

// repeat goes round again and again, with pauses that grow while something is
// pending, until it is done or ctx ends.
func repeat(ctx context.Context, round func(context.Context) state) {
	for pause := shortPause; ; pause = min(pause*3/2, longPause) {
		wait := pause
		switch round(ctx) {
		case done:
			return
		case confirming:
			wait = shortPause
		case scouting:
			wait, pause = scoutPause, shortPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
