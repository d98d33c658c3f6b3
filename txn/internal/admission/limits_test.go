package admission

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
)

// forever is later than any test.
const forever = time.Duration(math.MaxInt64)

// limited is a gate with one limited tag, and the times at which starts with it
// went on that the limit concerns.
type limited struct {
	*Gate[int]
	limit Limit
	now   time.Duration
	times []time.Duration
	// waiting is who is held, in the order of arrival.
	waiting []*waiter
}

// waiter is a start that is held as the model has it: the load has a part in it
// if it had when the start arrived, or at the last check.
type waiter struct {
	id       int
	priority wire.Priority
	arrived  time.Duration
	forLoad  bool
}

// passesFor says what the rules say of a start without limits.
func (l *limited) passesFor(priority wire.Priority, load int) bool {
	most := map[wire.Priority]int{wire.PriorityImmediate: math.MaxInt, wire.PriorityDefault: wire.FullLoad, wire.PriorityBatch: wire.BatchLoad}
	return load < most[priority] && !slices.ContainsFunc(l.waiting, func(w *waiter) bool {
		return w.forLoad && priority != wire.PriorityImmediate && rank(w.priority) <= rank(priority)
	})
}

// looked notes what a check says of those that it leaves: batch starts wait for
// the load behind the last that went on, if no more than those may.
func (l *limited) looked(load int, decided []*Start[int]) {
	batch, last := 0, -1
	for _, s := range decided {
		l.waiting = slices.DeleteFunc(l.waiting, func(w *waiter) bool { return w.id == s.Waiter })
		if s.Err == nil && s.Priority == wire.PriorityBatch {
			batch, last = batch+1, s.Waiter
		}
	}
	few := load >= easyLoad && batch >= max(1, l.config.BatchRelease*(wire.BatchLoad-load)/(wire.BatchLoad-easyLoad))
	for _, w := range l.waiting {
		if w.priority == wire.PriorityBatch {
			w.forLoad = load >= wire.BatchLoad || few && w.id > last
		} else {
			w.forLoad = load >= wire.FullLoad && w.priority == wire.PriorityDefault
		}
	}
}

// went notes a start that goes on and checks Q7 against all times before.
func (l *limited) went(t *rapid.T, s *Start[int]) {
	if len(s.Tags) == 0 || rank(s.Priority) < rank(l.limit.Priority) {
		return
	}
	l.times = append(l.times, l.now)
	burst := (&bucket{Limit: l.limit}).capacity()
	for i, at := range l.times {
		n := float64(len(l.times) - i)
		if most := l.limit.StartsPerSecond*(l.now-at).Seconds() + burst; n > most+1e-6 {
			t.Fatalf("Q7: %v starts within %v, at most %v may go on", n, l.now-at, most)
		}
	}
}

// arrive lets a start arrive.
func (l *limited) arrive(t *rapid.T, id, load int) {
	s := &Start[int]{Priority: rapid.SampledFrom(priorities).Draw(t, "priority"), Waiter: id}
	bound := rapid.Bool().Draw(t, "tagged")
	if bound {
		s.Tags = []string{"other", l.limit.Tag}
	}
	bound = bound && rank(s.Priority) >= rank(l.limit.Priority)
	passesWithout := l.passesFor(s.Priority, load)
	passes, err := l.Arrive(s, l.now, load)
	switch {
	case err != nil && (!bound || !errors.Is(err, wire.ErrTagThrottled)):
		t.Fatalf("a start of priority %d with the tags %q is told %v", s.Priority, s.Tags, err)
	case err == nil && !bound && passes != passesWithout:
		t.Fatalf("Q5: a start of priority %d without a limit passes: %v, want %v", s.Priority, passes, passesWithout)
	case passes && !passesWithout:
		t.Fatalf("Q1: a start of priority %d passes at load %d", s.Priority, load)
	case passes:
		l.went(t, s)
	case err == nil:
		l.Hold(s, l.now, load)
		l.waiting = append(l.waiting, &waiter{id, s.Priority, l.now, !passesWithout})
	}
}

func TestNoMoreStartsGoOnThanALimitAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := Config{
			MaxWaiting: 100, DefaultWait: 50 * time.Millisecond, BatchWait: time.Second, BatchRelease: 4,
			TagWait: time.Second, MaxTags: 10,
		}
		l := &limited{Gate: New[int](config), limit: Limit{
			Tag: "limited", Priority: rapid.SampledFrom(priorities).Draw(t, "limit's priority"), Until: forever,
			StartsPerSecond: rapid.SampledFrom([]float64{0, 0.5, 1, 10, 30}).Draw(t, "rate"),
		}}
		l.SetLimits([]Limit{l.limit}, 0)
		load := 0
		for id := range rapid.IntRange(1, 80).Draw(t, "steps") {
			l.now += time.Duration(rapid.IntRange(0, 60).Draw(t, "elapsed")) * time.Millisecond
			if rapid.IntRange(0, 3).Draw(t, "load changes") == 0 {
				load = loads.Draw(t, "load")
			}
			switch rapid.SampledFrom([]string{"arrive", "arrive", "check", "set"}).Draw(t, "step") {
			case "arrive":
				l.arrive(t, id, load)
			case "check":
				l.check(t, load)
			case "set":
				// What is left stays: Q7 holds across it.
				l.SetLimits([]Limit{l.limit, {Tag: "unused", Until: forever}}, l.now)
			}
		}
		l.now += time.Second
		l.check(t, 0)
		if l.Held() > 0 || len(l.waiting) > 0 || l.forLoad != [ranks]int{} {
			t.Fatalf("Q4: %d starts are held after a second without load; counted are %d and %v", l.Held(), len(l.waiting), l.forLoad)
		}
		if b := l.limits[l.limit.Tag][0]; b.held != [ranks]int{} {
			t.Fatalf("Q6: the limit counts %v starts that are held", b.held)
		}
	})
}

// check makes a check and looks at what it decides and leaves.
func (l *limited) check(t *rapid.T, load int) {
	decided := l.Check(l.now, load)
	l.looked(load, decided)
	for _, s := range decided {
		switch {
		case s.Err == nil:
			l.went(t, s)
		case errors.Is(s.Err, wire.ErrTagThrottled) && (len(s.Tags) == 0 || l.now-s.arrived < time.Second):
			t.Fatalf("a start with the tags %q is refused after %v: %v", s.Tags, l.now-s.arrived, s.Err)
		case !errors.Is(s.Err, wire.ErrTagThrottled) && s.Priority != wire.PriorityBatch:
			t.Fatalf("a start of priority %d is refused: %v", s.Priority, s.Err)
		}
	}
	for _, w := range l.waiting {
		if l.now-w.arrived >= time.Second {
			t.Fatalf("Q4: a start is held for %v already", l.now-w.arrived)
		}
	}
}

// Q5: starts that a tag holds may have come while the store was loaded. That is
// over with the load, for whoever comes later too.
func TestAMomentOfLoadDoesNotOutliveItself(t *testing.T) {
	const tick = 10 * time.Millisecond
	g := New[int](Config{MaxWaiting: 1000, BatchWait: time.Second, DefaultWait: 100 * time.Millisecond, TagWait: time.Second, MaxTags: 10})
	g.SetLimits([]Limit{{Tag: "t", StartsPerSecond: 10, Until: forever}}, 0)
	load := wire.FullLoad
	for now := time.Duration(0); now < 5*time.Second; now += tick {
		if now == 2*tick {
			load = 0
			g.Check(now, load)
		}
		if passes := g.Passes(wire.PriorityDefault, load) && g.Passes(wire.PriorityBatch, load); passes != (load == 0) {
			t.Fatalf("after %v at load %d others pass: %v", now, load, passes)
		}
		for range 2 {
			s := &Start[int]{Tags: []string{"t"}}
			if passes, err := g.Arrive(s, now, load); err == nil && !passes {
				g.Hold(s, now, load)
			}
		}
		g.Check(now, load)
		if g.Held() == 0 {
			t.Fatalf("after %v the tag holds nobody", now)
		}
	}
}

func TestHigherPrioritiesGoOnFirstUnderALimit(t *testing.T) {
	g := New[int](Config{MaxWaiting: 10, BatchWait: time.Second, DefaultWait: time.Second, TagWait: time.Second})
	g.SetLimits([]Limit{{Tag: "t", Priority: wire.PriorityImmediate, StartsPerSecond: 10, Until: forever}}, 0)
	arrive := func(priority wire.Priority) bool {
		s := &Start[int]{Priority: priority, Tags: []string{"t"}}
		passes, err := g.Arrive(s, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !passes {
			g.Hold(s, 0, 0)
		}
		return passes
	}
	if !arrive(wire.PriorityBatch) || arrive(wire.PriorityBatch) || arrive(wire.PriorityDefault) || arrive(wire.PriorityImmediate) {
		t.Fatal("of four starts at once the first alone should go on")
	}
	for i, want := range priorities {
		decided := g.Check(time.Duration(i+1)*100*time.Millisecond, 0)
		if len(decided) != 1 || decided[0].Priority != want || decided[0].Err != nil {
			t.Fatalf("after %d tenths of a second: %+v, want one start of priority %d", i+1, decided, want)
		}
	}
}

func TestALimitEndsAndHoldsOnlyForItsPriorities(t *testing.T) {
	g := New[int](Config{MaxWaiting: 10, TagWait: time.Second})
	g.SetLimits([]Limit{{Tag: "t", Priority: wire.PriorityDefault, Until: time.Second}}, 0)
	arrive := func(priority wire.Priority, now time.Duration) error {
		_, err := g.Arrive(&Start[int]{Priority: priority, Tags: []string{"t"}}, now, 0)
		return err
	}
	for priority, want := range map[wire.Priority]error{
		wire.PriorityImmediate: nil, wire.PriorityDefault: wire.ErrTagThrottled, wire.PriorityBatch: wire.ErrTagThrottled,
	} {
		if err := arrive(priority, 0); !errors.Is(err, want) {
			t.Errorf("priority %d under a limit of none: %v, want %v", priority, err, want)
		}
		if err := arrive(priority, time.Second); err != nil {
			t.Errorf("priority %d after the end of the limit: %v", priority, err)
		}
	}
	if got := g.Busiest(5); len(got) != 1 || got[0] != (Count{Tag: "t", Starts: 4}) {
		t.Errorf("counted %+v", got)
	}
}
