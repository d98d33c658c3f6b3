package history

import (
	"errors"
	"strings"
	"testing"
)

func w(key, value string) Op            { return Op{Kind: Write, Key: key, Value: value} }
func r(key, value string) Op            { return Op{Kind: Read, Key: key, Value: value} }
func none(key string) Op                { return Op{Kind: Read, Key: key, Absent: true} }
func del(key string) Op                 { return Op{Kind: Clear, Key: key} }
func app(key, e string) Op              { return Op{Kind: Append, Key: key, Value: e} }
func list(key string, es ...string) Op  { return Op{Kind: ReadList, Key: key, List: es} }
func rows(from, to string, r ...Row) Op { return Op{Kind: ReadRange, Key: from, End: to, Rows: r} }
func snap(op Op) Op                     { op.Snapshot = true; return op }

// txn is a committed transaction from begin to end, reading at a version and
// committing at one; 0 is not known.
func txn(begin, end, read, commit int64, ops ...Op) Transaction {
	return Transaction{Begin: begin, End: end, ReadVersion: read, CommitVersion: commit, Ops: ops}
}

func aborted(begin, end, read int64, ops ...Op) Transaction {
	return Transaction{Begin: begin, End: end, ReadVersion: read, Outcome: Aborted, Ops: ops}
}

func unknown(begin, end, read int64, ops ...Op) Transaction {
	return Transaction{Begin: begin, End: end, ReadVersion: read, Outcome: Unknown, Ops: ops}
}

// nth sets the place in the batch.
func nth(n int, t Transaction) Transaction { t.Order = n; return t }

// cases are bad histories with the anomaly each shows, and good ones that
// differ from them as little as possible.
var cases = []struct {
	name string
	kind AnomalyKind
	// steps of the smallest cycle; 0 if there is none.
	steps                  int
	realTime, versionOrder bool
	bad, good              []Transaction
}{
	{
		name: "write cycle", kind: WriteCycle, steps: 2,
		// Lists are in the order in which they were read, whatever versions say.
		bad: []Transaction{
			txn(0, 9, 0, 0, app("x", "1"), app("y", "1")), txn(0, 9, 0, 0, app("x", "2"), app("y", "2")),
			txn(0, 9, 0, 0, list("x", "1", "2"), list("y", "2", "1")),
		},
		good: []Transaction{
			txn(0, 9, 0, 0, app("x", "1"), app("y", "1")), txn(0, 9, 0, 0, app("x", "2"), app("y", "2")),
			txn(0, 9, 0, 0, list("x", "1", "2"), list("y", "1", "2")),
		},
	},
	{
		name: "aborted read", kind: AbortedRead,
		bad:  []Transaction{aborted(0, 1, 0, w("x", "a")), txn(2, 3, 7, 0, r("x", "a"))},
		good: []Transaction{aborted(0, 1, 0, w("x", "a")), txn(2, 3, 7, 0, none("x"))},
	},
	{
		name: "aborted append", kind: AbortedRead,
		bad:  []Transaction{aborted(0, 1, 0, app("x", "a")), txn(2, 3, 7, 0, list("x", "a"))},
		good: []Transaction{unknown(0, 1, 0, app("x", "a")), txn(2, 3, 7, 0, list("x", "a"))},
	},
	{
		name: "intermediate read", kind: IntermediateRead,
		bad:  []Transaction{txn(0, 1, 0, 5, w("x", "a"), w("x", "b")), txn(2, 3, 7, 0, r("x", "a"))},
		good: []Transaction{txn(0, 1, 0, 5, w("x", "a"), w("x", "b")), txn(2, 3, 7, 0, r("x", "b"))},
	},
	{
		name: "read between two appends", kind: IntermediateRead,
		bad: []Transaction{
			txn(0, 1, 0, 5, app("x", "a"), app("x", "b")),
			txn(2, 3, 7, 0, list("x", "a")), txn(2, 3, 8, 0, list("x", "a", "b")),
		},
		good: []Transaction{
			txn(0, 1, 0, 5, app("x", "a"), app("x", "b")),
			txn(0, 3, 4, 0, list("x")), txn(2, 3, 8, 0, list("x", "a", "b")),
		},
	},
	{
		name: "circular information flow", kind: CircularFlow, steps: 2,
		bad: []Transaction{
			txn(0, 9, 0, 0, r("y", "2"), w("x", "1")), txn(0, 9, 0, 0, r("x", "1"), w("y", "2")),
		},
		good: []Transaction{
			txn(0, 9, 0, 0, none("y"), w("x", "1")), txn(0, 9, 0, 0, r("x", "1"), w("y", "2")),
		},
	},
	{
		name: "read skew", kind: ReadSkew, steps: 2,
		bad: []Transaction{
			txn(0, 9, 1, 5, w("x", "1"), w("y", "1")), txn(0, 9, 0, 0, none("x"), r("y", "1")),
		},
		good: []Transaction{
			txn(0, 9, 1, 5, w("x", "1"), w("y", "1")), txn(0, 9, 0, 0, r("x", "1"), r("y", "1")),
		},
	},
	{
		name: "a read that does not repeat", kind: ReadSkew, steps: 2,
		bad: []Transaction{
			txn(0, 9, 1, 5, w("x", "1")), txn(0, 9, 5, 6, w("x", "2")), txn(0, 9, 5, 0, r("x", "1"), r("x", "2")),
		},
		good: []Transaction{
			txn(0, 9, 1, 5, w("x", "1")), txn(0, 9, 5, 6, w("x", "2")), txn(0, 9, 5, 0, r("x", "1"), r("x", "1")),
		},
	},
	{
		name: "lost update", kind: LostUpdate, steps: 2,
		bad: []Transaction{
			txn(0, 1, 1, 5, w("x", "0")),
			txn(2, 9, 6, 7, r("x", "0"), w("x", "1")), txn(2, 9, 6, 8, r("x", "0"), w("x", "2")),
		},
		good: []Transaction{
			txn(0, 1, 1, 5, w("x", "0")),
			txn(2, 9, 6, 7, r("x", "0"), w("x", "1")), txn(2, 9, 7, 8, r("x", "1"), w("x", "2")),
		},
	},
	{
		name: "lost update of a list, in one batch", kind: LostUpdate, steps: 2,
		bad: []Transaction{
			nth(0, txn(2, 9, 6, 8, list("x"), app("x", "1"))), nth(1, txn(2, 9, 6, 8, list("x"), app("x", "2"))),
		},
		good: []Transaction{
			nth(0, txn(2, 9, 6, 8, list("x"), app("x", "1"))), nth(1, txn(2, 9, 6, 8, app("x", "2"))),
			txn(2, 9, 8, 0, list("x", "1", "2")),
		},
	},
	{
		name: "write skew", kind: WriteSkew, steps: 2,
		bad: []Transaction{
			txn(0, 9, 1, 5, none("x"), w("y", "1")), txn(0, 9, 1, 6, none("y"), w("x", "2")),
		},
		good: []Transaction{
			txn(0, 9, 1, 5, none("x"), w("y", "1")), txn(0, 9, 1, 6, snap(none("y")), w("x", "2")),
		},
	},
	{
		name: "anti-dependency cycle of three", kind: AntiDependency, steps: 3,
		bad: []Transaction{
			txn(0, 9, 1, 5, none("x"), w("y", "1")), txn(0, 9, 1, 6, none("y"), w("z", "2")), txn(0, 9, 1, 7, none("z"), w("x", "3")),
		},
		good: []Transaction{
			txn(0, 9, 1, 5, none("x"), w("y", "1")), txn(0, 9, 5, 6, r("y", "1"), w("z", "2")), txn(0, 9, 6, 7, r("z", "2"), w("x", "3")),
		},
	},
	{
		name: "phantom", kind: Phantom, steps: 2,
		bad: []Transaction{
			txn(0, 9, 1, 5, rows("a", "m"), w("x", "1")), txn(0, 9, 1, 6, rows("n", "z"), w("b", "1")),
		},
		good: []Transaction{
			txn(0, 9, 1, 5, rows("a", "m"), w("x", "1")), txn(0, 9, 5, 6, rows("n", "z", Row{"x", "1"}), w("b", "1")),
		},
	},
	{
		name: "stale read", kind: StaleRead, steps: 2, realTime: true,
		bad:  []Transaction{txn(0, 1, 1, 5, w("x", "1")), txn(2, 3, 0, 0, none("x"))},
		good: []Transaction{txn(0, 2, 1, 5, w("x", "1")), txn(2, 3, 0, 0, none("x"))},
	},
	{
		name: "stale read of a list", kind: StaleRead, steps: 2, realTime: true,
		bad:  []Transaction{txn(0, 1, 1, 5, app("x", "1")), txn(2, 3, 0, 0, list("x"))},
		good: []Transaction{txn(0, 1, 1, 5, app("x", "1")), txn(2, 3, 0, 0, list("x", "1"))},
	},
	{
		name: "lost write", kind: StaleRead, steps: 2, realTime: true,
		bad: []Transaction{
			txn(0, 1, 1, 5, w("x", "1")), txn(2, 3, 5, 7, w("x", "2")), txn(4, 5, 7, 0, r("x", "1")),
		},
		good: []Transaction{
			txn(0, 1, 1, 5, w("x", "1")), txn(2, 3, 5, 7, w("x", "2")), txn(4, 5, 7, 0, r("x", "2")),
		},
	},
	{
		name: "real time against a flow of information", kind: CircularFlow, steps: 2, realTime: true,
		bad:  []Transaction{txn(4, 5, 0, 0, w("x", "1")), txn(2, 3, 0, 0, r("x", "1"))},
		good: []Transaction{txn(2, 5, 0, 0, w("x", "1")), txn(2, 3, 0, 0, r("x", "1"))},
	},
	{
		name: "read below the read version", kind: ReadSkew, steps: 2, versionOrder: true,
		bad:  []Transaction{txn(0, 9, 1, 5, w("x", "1")), txn(0, 9, 5, 0, none("x"))},
		good: []Transaction{txn(0, 9, 1, 5, w("x", "1")), txn(0, 9, 4, 0, none("x"))},
	},
	{
		name: "read above the read version", kind: CircularFlow, steps: 2, versionOrder: true,
		bad:  []Transaction{txn(0, 9, 1, 5, w("x", "1")), txn(0, 9, 4, 0, r("x", "1"))},
		good: []Transaction{txn(0, 9, 1, 5, w("x", "1")), txn(0, 9, 5, 0, r("x", "1"))},
	},
	{
		name: "an aborted transaction saw no snapshot", kind: ReadSkew, steps: 2,
		bad: []Transaction{
			txn(0, 9, 1, 5, w("x", "1"), w("y", "1")), aborted(0, 9, 4, none("x"), r("y", "1")),
		},
		good: []Transaction{
			txn(0, 9, 1, 5, w("x", "1"), w("y", "1")), aborted(0, 9, 5, r("x", "1"), r("y", "1")),
		},
	},
	{
		name: "snapshot reads saw no snapshot", kind: ReadSkew, steps: 2,
		bad: []Transaction{
			txn(0, 9, 1, 5, w("x", "1"), w("y", "1")), txn(0, 9, 4, 7, snap(none("x")), snap(r("y", "1")), w("z", "1")),
		},
		good: []Transaction{
			txn(0, 9, 1, 5, w("x", "1"), w("y", "1")), txn(0, 9, 4, 7, snap(none("x")), snap(none("y")), w("z", "1")),
		},
	},
	{
		name: "a conflict that nobody noticed", kind: ReadSkew, steps: 2, versionOrder: true,
		bad:  []Transaction{txn(0, 9, 1, 5, w("x", "1")), txn(0, 9, 4, 6, none("x"), w("y", "1"))},
		good: []Transaction{txn(0, 9, 1, 5, w("x", "1")), txn(0, 9, 4, 6, snap(none("x")), w("y", "1"))},
	},
	{
		name: "a clear that came back", kind: StaleRead, steps: 2, realTime: true,
		bad: []Transaction{
			txn(0, 1, 1, 5, w("x", "1")), txn(2, 3, 5, 6, Op{Kind: ClearRange, Key: "a", End: "z"}), txn(4, 5, 7, 0, r("x", "1")),
		},
		good: []Transaction{
			txn(0, 1, 1, 5, w("x", "1")), txn(2, 3, 5, 6, Op{Kind: ClearRange, Key: "a", End: "z"}), txn(4, 5, 7, 0, none("x")),
		},
	},
	{
		name: "an unknown write seen and lost", kind: StaleRead, steps: 3, realTime: true,
		bad: []Transaction{
			unknown(0, 1, 1, w("x", "1")), txn(2, 3, 5, 0, r("x", "1")), txn(4, 5, 6, 0, none("x")),
		},
		good: []Transaction{
			unknown(0, 1, 1, w("x", "1")), txn(2, 3, 5, 0, none("x")), txn(4, 5, 6, 0, r("x", "1")),
		},
	},
	{
		name: "an unknown outcome whose stamp is known", kind: ReadSkew, steps: 2, versionOrder: true,
		bad: []Transaction{
			{End: 1, Outcome: Unknown, CommitVersion: 3, Ops: []Op{w("x", "1")}}, txn(2, 3, 5, 0, none("x")),
		},
		good: []Transaction{
			{End: 1, Outcome: Unknown, CommitVersion: 7, Ops: []Op{w("x", "1")}}, txn(2, 3, 5, 0, none("x")),
		},
	},
	{
		name: "garbage", kind: GarbageRead,
		bad:  []Transaction{txn(0, 9, 1, 5, w("x", "1")), txn(0, 9, 5, 0, r("x", "2"))},
		good: []Transaction{txn(0, 9, 1, 5, w("x", "1")), txn(0, 9, 5, 0, r("x", "1"))},
	},
	{
		name: "own write not seen", kind: Internal,
		bad:  []Transaction{txn(0, 9, 1, 5, w("x", "1"), none("x"))},
		good: []Transaction{txn(0, 9, 1, 5, w("x", "1"), del("x"), none("x"))},
	},
	{
		name: "own write seen too early", kind: Internal,
		bad:  []Transaction{txn(0, 9, 1, 5, r("x", "1"), w("x", "1"))},
		good: []Transaction{txn(0, 9, 1, 5, none("x"), w("x", "1"))},
	},
	{
		name: "own element not at the end", kind: Internal,
		bad:  []Transaction{txn(0, 9, 0, 5, app("x", "0")), txn(0, 9, 5, 6, app("x", "1"), list("x", "1", "0"))},
		good: []Transaction{txn(0, 9, 0, 5, app("x", "0")), txn(0, 9, 5, 6, app("x", "1"), list("x", "0", "1"))},
	},
	{
		name: "an element twice", kind: Duplicate,
		bad:  []Transaction{txn(0, 9, 0, 5, app("x", "0")), txn(0, 9, 6, 0, list("x", "0", "0"))},
		good: []Transaction{txn(0, 9, 0, 5, app("x", "0")), txn(0, 9, 6, 0, list("x", "0"))},
	},
	{
		name: "two orders of a list", kind: IncompatibleOrder,
		bad: []Transaction{
			txn(0, 9, 0, 0, app("x", "0")), txn(0, 9, 0, 0, app("x", "1")), txn(0, 9, 0, 0, list("x", "0", "1")), txn(0, 9, 0, 0, list("x", "1")),
		},
		good: []Transaction{
			txn(0, 9, 0, 0, app("x", "0")), txn(0, 9, 0, 0, app("x", "1")), txn(0, 9, 0, 0, list("x", "0", "1")), txn(0, 9, 0, 0, list("x", "0")),
		},
	},
	{
		name: "a list out of the order of stamps", kind: WriteCycle, steps: 2, versionOrder: true,
		bad: []Transaction{
			txn(0, 9, 0, 5, app("x", "0")), txn(0, 9, 0, 6, app("x", "1")), txn(0, 9, 0, 0, list("x", "1", "0")),
		},
		good: []Transaction{
			txn(0, 9, 0, 5, app("x", "0")), txn(0, 9, 0, 6, app("x", "1")), txn(0, 9, 0, 0, list("x", "0", "1")),
		},
	},
	{
		name: "versions against real time", kind: OutOfOrder, steps: 2, realTime: true, versionOrder: true,
		bad:  []Transaction{txn(0, 1, 1, 7, w("x", "1")), txn(2, 3, 4, 5, w("y", "1"))},
		good: []Transaction{txn(0, 2, 1, 7, w("x", "1")), txn(2, 3, 4, 5, w("y", "1"))},
	},
	{
		name: "a stamp twice", kind: BadVersion,
		bad:  []Transaction{txn(0, 9, 1, 7, w("x", "1")), txn(0, 9, 1, 7, w("y", "1"))},
		good: []Transaction{txn(0, 9, 1, 7, w("x", "1")), nth(1, txn(0, 9, 1, 7, w("y", "1")))},
	},
	{
		name: "commit version not above read version", kind: BadVersion,
		bad:  []Transaction{txn(0, 9, 7, 7, w("x", "1"))},
		good: []Transaction{txn(0, 9, 6, 7, w("x", "1"))},
	},
}

func TestEachAnomalyIsFoundAndItsTwinPasses(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found, err := Check(&History{Transactions: c.bad})
			if err != nil || len(found) == 0 {
				t.Fatalf("H2: found %v, %v in the bad history", found, err)
			}
			a := found[0]
			t.Log(a)
			if a.Kind != c.kind || len(a.Cycle) != c.steps || a.RealTime != c.realTime || a.VersionOrder != c.versionOrder {
				t.Errorf("found %q with %d steps, real time %v, versions %v; want %q with %d, %v, %v",
					a.Kind, len(a.Cycle), a.RealTime, a.VersionOrder, c.kind, c.steps, c.realTime, c.versionOrder)
			}
			if found, err := Check(&History{Transactions: c.good}); err != nil || len(found) > 0 {
				t.Errorf("H1: found %v, %v in the good history", found, err)
			}
		})
	}
}

func TestAnExplanationNamesTransactionsKeysAndEdges(t *testing.T) {
	found, err := Check(&History{Transactions: []Transaction{
		txn(0, 1, 1, 5, w("x", "0")),
		txn(2, 9, 6, 7, r("x", "0"), w("x", "1")), txn(2, 9, 6, 8, r("x", "0"), w("x", "2")),
	}})
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	for _, want := range []string{
		"G-single (lost update): 2 transactions",
		`T2 read "x" = "0", and T1 wrote the next version, "1" (rw)`,
		`T1 wrote "x" = "1", and T2 the next version, "2" (ww)`,
		`T1: client 0, committed, from 0.000000002 s to 0.000000009 s, read version 6, commit version 7.0; read "x" = "0"; wrote "x" = "1"`,
	} {
		if !strings.Contains(found[0].String(), want) {
			t.Errorf("no %q in\n%v", want, found[0])
		}
	}
}

func TestHistoriesThatCannotBeCheckedAreRefused(t *testing.T) {
	for name, bad := range map[string][]Transaction{
		"a value written twice":     {txn(0, 1, 0, 0, w("x", "1")), txn(0, 1, 0, 0, w("x", "1"))},
		"a list that is a register": {txn(0, 1, 0, 0, w("x", "1")), txn(0, 1, 0, 0, app("x", "2"))},
		"a list in a range":         {txn(0, 1, 0, 0, app("x", "1")), txn(0, 1, 0, 0, rows("a", "z"))},
		"an end before the begin":   {txn(1, 0, 0, 0, w("x", "1"))},
		"a row outside its range":   {txn(0, 1, 0, 0, rows("a", "c", Row{"x", "1"}))},
		"an operation of no kind":   {txn(0, 1, 0, 0, Op{Kind: 99})},
	} {
		if _, err := Check(&History{Transactions: bad}); !errors.Is(err, ErrUnusable) {
			t.Errorf("%s: %v, want ErrUnusable", name, err)
		}
	}
	if found, err := Check(&History{}); err != nil || found != nil {
		t.Errorf("an empty history: %v, %v", found, err)
	}
}

func TestHistoriesSurviveEncoding(t *testing.T) {
	h := &History{Transactions: []Transaction{
		txn(0, 9, 1, 5, rows("a", "m", Row{"b", "1"}), snap(none("x")), w("y", "1")), unknown(1, 2, 3, list("l", "1", "2"), app("l", "3")),
	}}
	data, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := again.Encode(); err != nil || string(second) != string(data) {
		t.Errorf("%s became %s (%v)", data, second, err)
	}
	if _, err := Decode([]byte("{")); !errors.Is(err, ErrUnusable) {
		t.Errorf("Decode of rubbish: %v", err)
	}
	if _, err := (&History{Transactions: []Transaction{txn(0, 1, 0, 0, w("\xff", ""))}}).Encode(); !errors.Is(err, ErrUnusable) {
		t.Errorf("Encode of a key that is not UTF-8: %v", err)
	}
}
