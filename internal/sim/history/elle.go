package history

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// WriteElle writes the history in EDN, one operation a line, as Elle reads it:
// as list-append if it has lists, as rw-register if it has registers.
//
//	{:index 0, :type :invoke, :process 0, :time 5, :f :txn, :value [[:append "x" 1] [:r "y" nil]]}
//	{:index 1, :type :ok, :process 0, :time 9, :f :txn, :value [[:append "x" 1] [:r "y" [1 2]]]}
//
// An unknown outcome is an :info, after which its process is a new one, as in
// Jepsen. A range read becomes a read of each row it saw. Elle has no word for
// clears, and none for snapshot reads, which are left out; a history with
// clears (ErrClears), or with both lists and registers, is ErrUnusable.
func WriteElle(w io.Writer, h *History) error {
	events, err := elleEvents(h)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	process := make(map[int]int)
	clients := 1
	for _, t := range h.Transactions {
		clients = max(clients, t.Client+1)
	}
	for index, e := range events {
		t := &h.Transactions[e.txn]
		p := t.Client + process[t.Client]*clients
		fmt.Fprintf(out, "{:index %d, :type %s, :process %d, :time %d, :f :txn, :value [%s]}\n", index, e.kind(t), p, e.at, elleOps(t, e.end))
		if e.end && t.Outcome == Unknown {
			process[t.Client]++
		}
	}
	return out.Flush()
}

// elleEvent is the begin or the end of a transaction.
type elleEvent struct {
	at  int64
	txn int
	end bool
}

func (e elleEvent) kind(t *Transaction) string {
	switch {
	case !e.end:
		return ":invoke"
	case t.Outcome == Committed:
		return ":ok"
	case t.Outcome == Aborted:
		return ":fail"
	}
	return ":info"
}

// elleEvents returns all events in order. At one time begins come before ends,
// so that transactions which touch overlap, but a client's end comes before
// its next begin.
func elleEvents(h *History) ([]elleEvent, error) {
	lists, registers := false, false
	var events []elleEvent
	for n := range h.Transactions {
		t := &h.Transactions[n]
		for i := range t.Ops {
			switch t.Ops[i].Kind {
			case ReadList, Append:
				lists = true
			case Read, ReadRange, Write:
				registers = true
			default:
				return nil, fmt.Errorf("%w: %w: transaction %d: %v; Elle knows none", ErrUnusable, ErrClears, n, &t.Ops[i])
			}
		}
		events = append(events, elleEvent{t.Begin, n, false}, elleEvent{t.End, n, true})
	}
	if lists && registers {
		return nil, unusable("lists and registers in one history; Elle reads either")
	}
	slices.SortStableFunc(events, func(a, b elleEvent) int {
		return cmp.Or(cmp.Compare(a.at, b.at), compareBool(a.end, b.end))
	})
	return elleByClient(h, events)
}

// elleByClient lets a begin wait for the end of what its client does at the
// same moment.
func elleByClient(h *History, events []elleEvent) ([]elleEvent, error) {
	ordered := make([]elleEvent, 0, len(events))
	busy := make(map[int]bool)
	waiting := make(map[int][]elleEvent)
	for _, e := range events {
		client := h.Transactions[e.txn].Client
		switch next := waiting[client]; {
		case !e.end && busy[client]:
			waiting[client] = append(next, e)
		case !e.end || len(next) == 0:
			busy[client] = !e.end
			ordered = append(ordered, e)
		case next[0].at < e.at:
			return nil, unusable("client %d runs several transactions at once", client)
		default:
			ordered = append(ordered, e, next[0])
			waiting[client] = next[1:]
		}
	}
	return ordered, nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// elleOps are the operations, with what was read if the transaction has ended
// and was committed.
func elleOps(t *Transaction, end bool) string {
	seen := end && t.Outcome == Committed
	var ops []string
	for i := range t.Ops {
		op := &t.Ops[i]
		key := elleValue(op.Key)
		switch {
		case op.Snapshot:
		case op.Kind == Append:
			ops = append(ops, fmt.Sprintf("[:append %s %s]", key, elleValue(op.Value)))
		case op.Kind == Write:
			ops = append(ops, fmt.Sprintf("[:w %s %s]", key, elleValue(op.Value)))
		case op.Kind == ReadRange:
			for _, row := range op.Rows {
				ops = append(ops, elleRead(elleValue(row.Key), elleValue(row.Value), seen))
			}
		case op.Kind == Read:
			ops = append(ops, elleRead(key, elleValue(op.Value), seen && !op.Absent))
		case op.Kind == ReadList:
			var elements []string
			for _, e := range op.List {
				elements = append(elements, elleValue(e))
			}
			ops = append(ops, elleRead(key, "["+strings.Join(elements, " ")+"]", seen))
		}
	}
	return strings.Join(ops, " ")
}

func elleRead(key, value string, seen bool) string {
	if !seen {
		value = "nil"
	}
	return fmt.Sprintf("[:r %s %s]", key, value)
}

// elleValue is a number if the text is one, which Elle's users expect, or else
// a string of EDN.
func elleValue(s string) string {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && strconv.FormatInt(n, 10) == s {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
