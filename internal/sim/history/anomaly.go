package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// AnomalyKind is a kind of anomaly. The first ones need no cycle.
type AnomalyKind string

// The anomalies, in the words of the papers that the package comment names.
const (
	// GarbageRead is a read of a value that nobody wrote.
	GarbageRead AnomalyKind = "garbage read"
	// Internal is a read that contradicts the transaction's own writes.
	Internal AnomalyKind = "internal inconsistency"
	// Duplicate is an element that is in a list twice.
	Duplicate AnomalyKind = "duplicate element"
	// IncompatibleOrder are two reads of a list neither of which is the
	// beginning of the other.
	IncompatibleOrder AnomalyKind = "incompatible order"
	// BadVersion is a commit version that another transaction has too, at the
	// same place, or that is not above the transaction's read version.
	BadVersion AnomalyKind = "bad version"
	// AbortedRead is a read of what an aborted transaction wrote.
	AbortedRead AnomalyKind = "G1a (aborted read)"
	// IntermediateRead is a read of what its writer itself overwrote.
	IntermediateRead AnomalyKind = "G1b (intermediate read)"
	// WriteCycle is a cycle of ww alone.
	WriteCycle AnomalyKind = "G0 (write cycle)"
	// CircularFlow is a cycle of ww and wr.
	CircularFlow AnomalyKind = "G1c (circular information flow)"
	// ReadSkew is a cycle with exactly one rw.
	ReadSkew AnomalyKind = "G-single (read skew)"
	// LostUpdate is one where both transactions wrote the key that one read.
	LostUpdate AnomalyKind = "G-single (lost update)"
	// AntiDependency is a cycle with several rw, all through keys that were
	// read by name or found in a range.
	AntiDependency AnomalyKind = "G2-item (anti-dependency cycle)"
	// WriteSkew is one of two transactions.
	WriteSkew AnomalyKind = "G2-item (write skew)"
	// Phantom is a cycle in which a transaction read a range that lacked what
	// another had written or was to write there.
	Phantom AnomalyKind = "G2 (phantom)"
	// StaleRead is a cycle with one rw, and real time: what was read had been
	// overwritten before the reader began.
	StaleRead AnomalyKind = "G-single-realtime (stale read)"
	// OutOfOrder is a cycle that exists only because of real time or of the
	// order of versions, or both without any data.
	OutOfOrder AnomalyKind = "order violation"
)

// Anomaly is one finding.
type Anomaly struct {
	Kind AnomalyKind
	// RealTime and VersionOrder say that the cycle is one only because of the
	// order of events in real time, or of versions. A serializable store that
	// promises neither may show it.
	RealTime, VersionOrder bool
	// Cycle is the smallest cycle of its kind; it is empty for kinds that need
	// none.
	Cycle []Step
	// Text explains it in words, over several lines.
	Text string
}

// Step is one edge of a cycle, between places in History.Transactions.
type Step struct {
	From, To int
	// Edge is ww, wr, rw, rt or vo.
	Edge string
	// Key is what the edge is about, for ww, wr and rw.
	Key string
}

// String is the kind with what it rests on, and the text.
func (a Anomaly) String() string {
	var b strings.Builder
	b.WriteString(string(a.Kind))
	switch {
	case a.VersionOrder && a.RealTime:
		b.WriteString(" by real time and the order of versions")
	case a.VersionOrder:
		b.WriteString(" by the order of versions")
	case a.RealTime && a.Kind != StaleRead:
		b.WriteString(" by real time")
	}
	b.WriteString(": ")
	b.WriteString(a.Text)
	return b.String()
}

const (
	// maxFindings bounds the anomalies that are kept of those that need no
	// cycle, maxCycles those that are cycles.
	maxFindings = 20
	maxCycles   = 5
	// maxShownOps bounds the operations that a transaction is described with,
	// maxShownBytes each value.
	maxShownOps   = 12
	maxShownBytes = 40
)

// findings collects anomalies up to a limit.
type findings struct{ anomalies []Anomaly }

func (f *findings) add(a Anomaly) {
	if len(f.anomalies) < maxFindings {
		f.anomalies = append(f.anomalies, a)
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// show is a value in words.
func show(absent bool, value string) string {
	if absent {
		return "(absent)"
	}
	if len(value) > maxShownBytes {
		value = value[:maxShownBytes] + "..."
	}
	return fmt.Sprintf("%q", value)
}

// describe is a transaction in one line.
func (h *History) describe(n int) string {
	t := &h.Transactions[n]
	var b strings.Builder
	fmt.Fprintf(&b, "T%d: client %d, %v, from %s to %s", n, t.Client, t.Outcome, seconds(t.Begin), seconds(t.End))
	if t.ReadVersion != 0 {
		fmt.Fprintf(&b, ", read version %d", t.ReadVersion)
	}
	if t.CommitVersion != 0 {
		fmt.Fprintf(&b, ", commit version %d.%d", t.CommitVersion, t.Order)
	}
	for i := range t.Ops {
		if i == maxShownOps {
			fmt.Fprintf(&b, "; and %d operations more", len(t.Ops)-i)
			break
		}
		b.WriteString("; ")
		b.WriteString(t.Ops[i].String())
	}
	return b.String()
}

// String is the operation in words.
func (op *Op) String() string {
	snapshot := ""
	if op.Snapshot {
		snapshot = " (snapshot)"
	}
	switch op.Kind {
	case Read:
		return fmt.Sprintf("read %q = %s%s", op.Key, show(op.Absent, op.Value), snapshot)
	case ReadList:
		return fmt.Sprintf("read %q = %v%s", op.Key, op.List, snapshot)
	case ReadRange:
		return fmt.Sprintf("read %q to %q = %v%s", op.Key, op.End, op.Rows, snapshot)
	case Write:
		return fmt.Sprintf("wrote %q = %s", op.Key, show(false, op.Value))
	case Clear:
		return fmt.Sprintf("cleared %q", op.Key)
	case ClearRange:
		return fmt.Sprintf("cleared %q to %q", op.Key, op.End)
	case Append:
		return fmt.Sprintf("appended %s to %q", show(false, op.Value), op.Key)
	}
	return fmt.Sprint("operation ", uint8(op.Kind))
}

func seconds(nanos int64) string { return fmt.Sprintf("%.9f s", float64(nanos)/1e9) }
