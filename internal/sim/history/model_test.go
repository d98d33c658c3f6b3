package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// chance is where the model's choices come from: rapid, or a generator for
// large histories.
type chance interface {
	// IntN returns a number from 0 to n-1.
	IntN(n int) int
}

type rapidChance struct{ t *rapid.T }

func (c rapidChance) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(c.t, "choice") }

// model is an optimistic multi-version store with a few clients, whose
// histories are strictly serializable in the order of versions.
type model struct {
	chance
	registers, lists int
	// doubt is in how many of a hundred commits the outcome is unknown, hidden
	// whether it stays unknown in the end.
	doubt  int
	hidden bool

	now, version, order int64
	// floor is the newest version that a transaction which has ended stands at.
	floor int64
	// looked says that somebody has read at the newest version.
	looked  bool
	fresh   int
	states  map[string][]state
	clients []*modelClient
	late    []*modelTxn // unknown, and not yet committed
	history History
}

// state is a key's content from a position on.
type state struct {
	at     position
	absent bool
	value  string
	list   []string
}

type modelClient struct {
	txn *modelTxn
	// ends says that the transaction has its outcome and only has to return.
	ends bool
}

type modelTxn struct {
	place int // in the history
	read  map[string]bool
	own   map[string]state
	ops   []Op
}

func newModel(c chance, clients, doubt int, hidden bool) *model {
	m := &model{chance: c, registers: 4, lists: 2, doubt: doubt, hidden: hidden, version: 10, floor: 1, states: map[string][]state{}}
	for range clients {
		m.clients = append(m.clients, new(modelClient))
	}
	return m
}

// run lets clients take turns.
func (m *model) run(steps int) *History {
	for range steps {
		m.now += int64(m.IntN(2)) // some things happen at the same time
		if len(m.late) > 0 && m.IntN(4) == 0 {
			m.commit(m.late[0])
			m.late = m.late[1:]
		}
		n := m.IntN(len(m.clients))
		switch c := m.clients[n]; {
		case c.txn == nil:
			m.begin(n, c)
		case c.ends:
			m.end(c)
		case m.IntN(4) > 0:
			m.operate(c.txn)
		default:
			m.conclude(c)
		}
	}
	for _, c := range m.clients {
		if c.txn != nil {
			m.at(c.txn).Outcome, m.at(c.txn).Ops = Unknown, c.txn.ops
			m.at(c.txn).End = m.now
		}
	}
	for n := range m.history.Transactions {
		if t := &m.history.Transactions[n]; !m.hidden && t.Outcome == Unknown && t.CommitVersion == 0 {
			t.Outcome = Aborted
		}
	}
	return &m.history
}

func (m *model) at(t *modelTxn) *Transaction { return &m.history.Transactions[t.place] }

func (m *model) begin(client int, c *modelClient) {
	read := m.floor + int64(m.IntN(2))*(m.version-m.floor)
	m.looked = m.looked || read == m.version
	c.txn = &modelTxn{place: len(m.history.Transactions), read: map[string]bool{}, own: map[string]state{}}
	c.ends = false
	m.history.Transactions = append(m.history.Transactions, Transaction{Client: client, Begin: m.now, ReadVersion: read})
}

func register(n int) string { return fmt.Sprintf("r%02d", n) }

func (m *model) register() string { return register(m.IntN(m.registers)) }

// get returns what the transaction sees of a key.
func (m *model) get(t *modelTxn, key string) state {
	if own, ok := t.own[key]; ok {
		return own
	}
	seen := state{absent: true}
	for _, s := range m.states[key] {
		if s.at.version <= m.at(t).ReadVersion {
			seen = s
		}
	}
	return seen
}

// note makes the read of a key one that the commit depends on, unless it was a
// snapshot read or of the transaction's own writes alone.
func (t *modelTxn) note(key string, snapshot bool) {
	if _, own := t.own[key]; !own && !snapshot {
		t.read[key] = true
	}
}

func (m *model) operate(t *modelTxn) {
	m.fresh++
	value := fmt.Sprint(m.fresh)
	snapshot := m.IntN(5) == 0
	switch m.IntN(7) {
	case 0, 1:
		key := m.register()
		s := m.get(t, key)
		t.note(key, snapshot)
		t.ops = append(t.ops, Op{Kind: Read, Key: key, Value: s.value, Absent: s.absent, Snapshot: snapshot})
	case 2:
		op := Op{Kind: ReadRange, Key: m.register(), End: m.register() + "x", Snapshot: snapshot}
		for i := range m.registers {
			key := register(i)
			if key < op.Key || key >= op.End {
				continue
			}
			t.note(key, snapshot)
			if s := m.get(t, key); !s.absent {
				op.Rows = append(op.Rows, Row{key, s.value})
			}
		}
		t.ops = append(t.ops, op)
	case 3:
		key := m.register()
		t.own[key] = state{value: value}
		t.ops = append(t.ops, Op{Kind: Write, Key: key, Value: value})
	case 4:
		op := Op{Kind: Clear, Key: m.register()}
		if m.IntN(2) == 0 {
			op.Kind, op.End = ClearRange, m.register()+"x"
		}
		for i := range m.registers {
			if key := register(i); key == op.Key && op.End == "" || key >= op.Key && key < op.End {
				t.own[key] = state{absent: true}
			}
		}
		t.ops = append(t.ops, op)
	case 5:
		key := fmt.Sprint("s", m.IntN(m.lists))
		t.ops = append(t.ops, Op{Kind: Append, Key: key, Value: value})
	case 6:
		m.readList(t, fmt.Sprint("s", m.IntN(m.lists)), snapshot)
	}
}

// readList reads a list with the transaction's own appends, which it needs no
// protection from.
func (m *model) readList(t *modelTxn, key string, snapshot bool) {
	s := m.get(t, key)
	t.note(key, snapshot)
	seen := slices.Clone(s.list)
	for _, op := range t.ops {
		if op.Kind == Append && op.Key == key {
			seen = append(seen, op.Value)
		}
	}
	t.ops = append(t.ops, Op{Kind: ReadList, Key: key, List: seen, Snapshot: snapshot})
}

// conclude commits or gives up.
func (m *model) conclude(c *modelClient) {
	t := m.at(c.txn)
	t.Ops = c.txn.ops
	c.ends = true
	switch {
	case m.IntN(20) == 0:
		t.Outcome = Aborted
	case !t.writes():
	case m.IntN(100) < m.doubt:
		t.Outcome = Unknown
		if m.IntN(2) == 0 {
			m.late = append(m.late, c.txn)
		}
	case !m.commit(c.txn):
		t.Outcome = Aborted
	}
}

func (m *model) end(c *modelClient) {
	t := m.at(c.txn)
	t.End = m.now
	m.floor = max(m.floor, t.ReadVersion)
	if t.Outcome == Committed {
		m.floor = max(m.floor, t.CommitVersion)
	}
	m.now++ // a transaction that begins now begins later
	c.txn = nil
}

// commit applies a transaction unless somebody wrote what it read.
func (m *model) commit(txn *modelTxn) bool {
	t := m.at(txn)
	for key := range txn.read {
		if s := m.states[key]; len(s) > 0 && s[len(s)-1].at.version > t.ReadVersion {
			return false
		}
	}
	if m.looked || t.ReadVersion >= m.version || m.IntN(2) == 0 {
		m.version += 10
		m.order, m.looked = -1, false
	}
	m.order++
	at := position{m.version, int(m.order)}
	for key, s := range txn.own {
		s.at = at
		m.states[key] = append(m.states[key], s)
	}
	for _, op := range txn.ops {
		if op.Kind == Append {
			var list []string
			if s := m.states[op.Key]; len(s) > 0 {
				list = s[len(s)-1].list
			}
			m.states[op.Key] = append(m.states[op.Key], state{at: at, list: append(slices.Clip(list), op.Value)})
		}
	}
	if t.Outcome == Committed || !m.hidden || m.IntN(2) == 0 {
		t.CommitVersion, t.Order = at.version, at.order
	}
	return true
}

func TestHistoriesOfASerializableStorePass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newModel(rapidChance{t}, 4, 20, true).run(rapid.IntRange(10, 300).Draw(t, "steps"))
		if found, err := Check(h); err != nil || len(found) > 0 {
			t.Fatalf("H1: %v, %v", found, err)
		}
	})
}

// corruptions returns all ways in which one read could have come out otherwise.
func corruptions(h *History) (all []func()) {
	values := map[string][]string{}
	for _, t := range h.Transactions {
		for _, op := range t.Ops {
			if op.Kind == Write {
				values[op.Key] = append(values[op.Key], op.Value)
			}
		}
	}
	for n := range h.Transactions {
		for i := range h.Transactions[n].Ops {
			op := &h.Transactions[n].Ops[i]
			switch {
			case op.Kind == Read:
				if !op.Absent {
					all = append(all, func() { op.Absent, op.Value = true, "" })
				}
				for _, v := range values[op.Key] {
					if v != op.Value {
						all = append(all, func() { op.Absent, op.Value = false, v })
					}
				}
			case op.Kind == ReadRange:
				for k := range op.Rows {
					all = append(all, func() { op.Rows = slices.Delete(slices.Clone(op.Rows), k, k+1) })
				}
			case op.Kind == ReadList && len(op.List) > 0:
				all = append(all, func() { op.List = op.List[1:] }, func() { op.List = op.List[:len(op.List)-1] },
					func() { op.List = append(slices.Clone(op.List), op.List[0]) })
			}
		}
	}
	return all
}

func TestOneReadThatCameOutOtherwiseIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newModel(rapidChance{t}, 4, 20, false).run(rapid.IntRange(10, 300).Draw(t, "steps"))
		all := corruptions(h)
		if len(all) == 0 {
			t.Skip("nothing was read")
		}
		all[rapid.IntRange(0, len(all)-1).Draw(t, "corruption")]()
		if found, err := Check(h); err != nil || len(found) == 0 {
			t.Fatalf("H2: nothing found (%v) in %+v", err, h)
		}
	})
}

// BenchmarkCheck checks a history of 20,000 transactions on few keys.
func BenchmarkCheck(b *testing.B) {
	m := newModel(rand.New(rand.NewPCG(1, 1)), 20, 5, true)
	m.registers, m.lists = 50, 400
	h := m.run(110_000)
	h.Transactions = h.Transactions[:20_000]
	for b.Loop() {
		if found, err := Check(h); err != nil || len(found) > 0 {
			b.Fatal(found, err)
		}
	}
	b.ReportMetric(float64(len(h.Transactions)), "transactions")
}

// BenchmarkCheckFailing checks one in which a read in the middle is wrong.
func BenchmarkCheckFailing(b *testing.B) {
	m := newModel(rand.New(rand.NewPCG(1, 1)), 20, 5, true)
	m.registers, m.lists = 50, 400
	h := m.run(110_000)
	h.Transactions = h.Transactions[:20_000]
	all := corruptions(h)
	all[len(all)/4]()
	for b.Loop() {
		if found, err := Check(h); err != nil || len(found) == 0 {
			b.Fatal(found, err)
		}
	}
}
