package admission

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
)

var (
	priorities = []wire.Priority{wire.PriorityImmediate, wire.PriorityDefault, wire.PriorityBatch}
	loads      = rapid.OneOf(rapid.IntRange(0, 1200), rapid.SampledFrom([]int{0, wire.BatchLoad - 1, wire.BatchLoad, wire.FullLoad - 1, wire.FullLoad}))
)

// modelStart is a start as the model has it.
type modelStart struct {
	id      int
	arrived time.Duration
}

// model says what must hold of a gate, with two plain lists.
type model struct {
	config Config
	held   map[wire.Priority][]modelStart
	now    time.Duration
}

// take removes start id of the priority, which must be the first if first is
// set, and says how long it was held.
func (m *model) take(t *rapid.T, priority wire.Priority, id int, first bool) time.Duration {
	at := slices.IndexFunc(m.held[priority], func(s modelStart) bool { return s.id == id })
	if at < 0 {
		t.Fatalf("Q6: start %d was decided, but is not held", id)
	}
	if first && at != 0 {
		t.Fatalf("Q3: start %d goes on before start %d, which is older", id, m.held[priority][0].id)
	}
	held := m.now - m.held[priority][at].arrived
	m.held[priority] = slices.Delete(m.held[priority], at, at+1)
	return held
}

// checked compares the decisions of one check with the rules.
func (m *model) checked(t *rapid.T, load int, decided []*Start[int]) {
	gone := 0
	for _, s := range decided {
		held := m.take(t, s.Priority, s.Waiter, true)
		switch {
		case s.Priority == wire.PriorityDefault:
			if s.Err != nil || load >= wire.FullLoad && held < m.config.DefaultWait {
				t.Fatalf("Q4: a default start was held for %v at load %d, then told %v", held, load, s.Err)
			}
		case s.Err != nil:
			if !errors.Is(s.Err, wire.ErrBatchThrottled) || held < m.config.BatchWait {
				t.Fatalf("Q4: a batch start was refused after %v at load %d: %v", held, load, s.Err)
			}
		case load >= wire.BatchLoad || len(m.held[wire.PriorityDefault]) > 0:
			t.Fatalf("Q2: a batch start goes on at load %d with %d default starts held", load, len(m.held[wire.PriorityDefault]))
		default:
			gone++
		}
	}
	if load >= easyLoad && gone > max(1, m.config.BatchRelease) {
		t.Fatalf("%d batch starts go on at once at load %d", gone, load)
	}
	m.nobodyWaitsInVain(t, load, gone)
}

// nobodyWaitsInVain checks those that a check leaves.
func (m *model) nobodyWaitsInVain(t *rapid.T, load, gone int) {
	for priority, wait := range map[wire.Priority]time.Duration{
		wire.PriorityDefault: m.config.DefaultWait, wire.PriorityBatch: m.config.BatchWait,
	} {
		if held := m.held[priority]; len(held) > 0 && m.now-held[0].arrived >= wait {
			t.Fatalf("Q4: a start of priority %d is held for %v already", priority, m.now-held[0].arrived)
		}
	}
	if n := len(m.held[wire.PriorityDefault]); n > 0 && load < wire.FullLoad {
		t.Fatalf("%d default starts are still held at load %d", n, load)
	}
	if n := len(m.held[wire.PriorityBatch]); n > 0 && (load < easyLoad || load < wire.BatchLoad && gone == 0) {
		t.Fatalf("%d batch starts are still held at load %d, where %d went on", n, load, gone)
	}
}

// arrive lets a start arrive, which is held or goes on.
func (m *model) arrive(t *rapid.T, g *Gate[int], id, load int) *Start[int] {
	s := &Start[int]{Priority: rapid.SampledFrom(priorities).Draw(t, "priority"), Waiter: id}
	if rapid.Bool().Draw(t, "tagged") {
		s.Tags = []string{"t"}
	}
	passes := g.Passes(s.Priority, load)
	held := len(m.held[wire.PriorityDefault]) + len(m.held[wire.PriorityBatch])
	switch {
	case s.Priority == wire.PriorityImmediate && !passes:
		t.Fatal("Q1: an immediate start is to be held")
	case held == 0 && load < wire.BatchLoad && !passes:
		t.Fatalf("Q5: a start of priority %d is to be held at load %d", s.Priority, load)
	case s.Priority == wire.PriorityBatch && passes && (held > 0 || load >= wire.BatchLoad):
		t.Fatalf("Q2: a batch start goes on at load %d with %d held", load, held)
	case s.Priority == wire.PriorityDefault && passes && (len(m.held[s.Priority]) > 0 || load >= wire.FullLoad):
		t.Fatalf("Q3: a default start goes on at load %d with %d held", load, len(m.held[s.Priority]))
	}
	if passes {
		return nil
	}
	g.Hold(s, m.now, load)
	m.held[s.Priority] = append(m.held[s.Priority], modelStart{id, m.now})
	return s
}

// TestStartsAreHeldAndLetGoByTheRules compares a gate with a model that knows of
// no tags: a limit that is never reached changes nothing, whenever it is made.
func TestStartsAreHeldAndLetGoByTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := Config{MaxWaiting: 100, DefaultWait: 50, BatchWait: 200, TagWait: 100, BatchRelease: rapid.IntRange(0, 5).Draw(t, "release")}
		g := New[int](config)
		m := &model{config: config, held: map[wire.Priority][]modelStart{}}
		var known []*Start[int]
		load := 0
		for id := range rapid.IntRange(1, 60).Draw(t, "steps") {
			m.now += time.Duration(rapid.IntRange(0, 40).Draw(t, "elapsed"))
			if rapid.Bool().Draw(t, "load changes") {
				load = loads.Draw(t, "load")
			}
			switch rapid.SampledFrom([]string{"arrive", "arrive", "arrive", "check", "check", "leave", "limit"}).Draw(t, "step") {
			case "arrive":
				if s := m.arrive(t, g, id, load); s != nil {
					known = append(known, s)
				}
			case "check":
				m.checked(t, load, g.Check(m.now, load))
			case "limit":
				g.SetLimits([]Limit{{Tag: rapid.SampledFrom([]string{"t", "other"}).Draw(t, "limited"), StartsPerSecond: 1e12, Until: forever}}, m.now)
			case "leave":
				if len(known) > 0 {
					s := rapid.SampledFrom(known).Draw(t, "who")
					if s.place != nil {
						m.take(t, s.Priority, s.Waiter, false)
					}
					g.Leave(s)
				}
			}
			if n := len(m.held[wire.PriorityDefault]) + len(m.held[wire.PriorityBatch]); g.Held() != n {
				t.Fatalf("Q6: %d starts are held, want %d", g.Held(), n)
			}
		}
		for _, s := range g.Clear() {
			m.take(t, s.Priority, s.Waiter, true)
		}
		if n := len(m.held[wire.PriorityDefault]) + len(m.held[wire.PriorityBatch]); n > 0 || g.Held() > 0 {
			t.Fatalf("Q6: %d starts are left behind", n)
		}
	})
}

// A check is made under the lock of the gate's owner, so it must not look at all
// that wait: had it looked at the last one here, that would have gone on.
func TestACheckStopsAtTheFirstThatStays(t *testing.T) {
	g := New[int](Config{MaxWaiting: 10, DefaultWait: time.Second, BatchWait: time.Second, TagWait: time.Second})
	g.SetLimits([]Limit{{Tag: "t", Until: forever}}, 0)
	last := &Start[int]{}
	for _, s := range []*Start[int]{{Tags: []string{"t"}}, {}, {Tags: []string{"unlimited"}}, last} {
		g.Hold(s, time.Minute, wire.FullLoad)
	}
	last.arrived = 0
	if decided := g.Check(time.Minute, wire.FullLoad); len(decided) != 0 {
		t.Errorf("%d starts are decided, among them one behind those that stay", len(decided))
	}
}

func TestImmediateStartsHaveTheLastPartOfTheQueueToThemselves(t *testing.T) {
	g := New[int](Config{MaxWaiting: 80})
	for _, c := range []struct {
		waiting                       int
		batch, ordinary, immediateErr error
	}{
		{0, nil, nil, nil},
		{39, nil, nil, nil},
		{40, wire.ErrBatchThrottled, nil, nil},
		{69, wire.ErrBatchThrottled, nil, nil},
		{70, wire.ErrBatchThrottled, wire.ErrGRVProxyMemoryLimit, nil},
		{79, wire.ErrBatchThrottled, wire.ErrGRVProxyMemoryLimit, nil},
		{80, wire.ErrBatchThrottled, wire.ErrGRVProxyMemoryLimit, wire.ErrGRVProxyMemoryLimit},
	} {
		for priority, want := range map[wire.Priority]error{
			wire.PriorityBatch: c.batch, wire.PriorityDefault: c.ordinary, wire.PriorityImmediate: c.immediateErr,
		} {
			if err := g.Room(priority, c.waiting); !errors.Is(err, want) {
				t.Errorf("priority %d beside %d others: %v, want %v", priority, c.waiting, err, want)
			}
		}
	}
}
