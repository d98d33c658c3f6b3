package world

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"time"
)

// incarnationLabel is the profiler's label of the goroutines that an
// incarnation's store starts. Goroutines inherit labels, so it tells what is
// left of a dead process from everything else in the program.
const incarnationLabel = "incarnation"

// endPollPause is the time between the first two looks for goroutines that are
// ending; it doubles.
const endPollPause = time.Millisecond

func (inc *Incarnation) label() string {
	return fmt.Sprintf("%s#%d", inc.process.name, inc.number)
}

// goroutines returns the stacks of the incarnation's goroutines, one for all
// that stand at the same place.
func (inc *Incarnation) goroutines() (stacks []string) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		panic(err) // a buffer takes everything
	}
	label := fmt.Sprintf("%q:%q", incarnationLabel, inc.label())
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, label) && !KnownLeak(stack) {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// KnownLeak reports whether a stack is of a goroutine that others leave behind
// and that nothing can end: Pebble does so when opening a store fails half-way.
func KnownLeak(stack string) bool {
	return strings.Contains(stack, "pebble/v2.(*ConcurrencyLimitScheduler).periodicGranter")
}

// awaitEnd returns when no goroutine of a closed incarnation is left (W2).
func (p *Process) awaitEnd(ctx context.Context, inc *Incarnation) error {
	began, pause := time.Now(), endPollPause
	for ; ; pause *= 2 {
		left := inc.goroutines()
		if len(left) == 0 {
			return nil
		}
		if time.Since(began) > CloseLimit {
			fmt.Fprintf(os.Stderr, "what is left of process %s:\n\n%s\n", inc.label(), strings.Join(left, "\n\n"))
			return p.world.Violated("world", "W2", "goroutines of process %s, boot %d, at %d places did not end within %v of its Close",
				p.name, inc.number, len(left), CloseLimit)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

func (p *Process) closeWithin(ctx context.Context, inc *Incarnation) error {
	done := make(chan error, 1)
	go func() { done <- inc.close() }()
	timer := time.NewTimer(CloseLimit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return p.world.Violated("world", "W2", "process %s did not close within %v", p.name, CloseLimit)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// bury closes the rest of a dead incarnation in the background and sees to it
// that nothing of it is left (W2).
func (p *Process) bury(inc *Incarnation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buryLocked(inc)
}

func (p *Process) buryLocked(inc *Incarnation) {
	p.mu.closing++
	timer := time.AfterFunc(CloseLimit, func() {
		_ = p.world.Violated("world", "W2", "process %s, boot %d, did not close within %v of its death",
			p.name, inc.number, CloseLimit)
	})
	go func() {
		err := inc.close() // of a store without a disk: it may say anything
		timer.Stop()
		p.world.Trace("process %s buried %d: %v", p.name, inc.number, err)
		_ = p.awaitEnd(context.Background(), inc) // a violation is on record
		p.mu.Lock()
		defer p.mu.Unlock()
		p.mu.closing--
		p.changedLocked()
	}()
}

// AwaitBurials returns when the goroutines of all dead incarnations have ended.
func (p *Process) AwaitBurials() {
	for {
		p.mu.Lock()
		closing, changed := p.mu.closing, p.mu.changed
		p.mu.Unlock()
		if closing == 0 {
			return
		}
		<-changed
	}
}
