package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/plinthdb/plinth/internal/sim/history"
	"github.com/plinthdb/plinth/kv"
)

// listAppend is the workload that Elle was made for: transactions append unique
// elements to lists and read lists. An element is appended either by reading
// the list and writing it with one element more, or blindly by the atomic
// operation AppendIfFits; lists end long before it does not fit. What a read
// sees tells the order of all appends before it, without any version.
//
// A share of the transactions is run by Transact; each of their runs is a
// transaction of the history, and only the last may have been committed.
//
//	L1  The history is strictly serializable, in the order that the lists show
//	    and in the order of its versions.
//	L2  The journal holds the stamp that each acknowledged commit returned, and
//	    nothing of transactions that were aborted.
//	L3  A list is what appending leaves: elements, each with its end.
type listAppend struct {
	lists, maxOps, maxElements int
	recorder                   *recorder
	throng

	mu struct {
		sync.Mutex
		// appended counts the appends to the list of each place, in all its
		// lives; when a list is long the place gets a new one.
		appended []int
	}
}

func newListAppend(rng *rand.Rand) *listAppend {
	l := &listAppend{throng: drawThrong(rng), lists: 1 + rng.IntN(1<<rng.IntN(5)), maxOps: 1 + rng.IntN(6), maxElements: 1 + rng.IntN(60)}
	l.mu.appended = make([]int, l.lists)
	return l
}

// Name implements Workload.
func (*listAppend) Name() string { return "ListAppend" }

// listAppendWindow is how many transactions are checked together.
const listAppendWindow = 2000

// Setup implements Workload. All lists are empty at first.
func (l *listAppend) Setup(_ context.Context, env *Env) error {
	l.recorder = newRecorder(env, listAppendWindow, "L2", func(h *history.History) error { return l.recorder.strict("L1", h) })
	return nil
}

// Run implements Workload.
func (l *listAppend) Run(ctx context.Context, _ *Env) error {
	return l.recorder.run(ctx, func(ctx context.Context, c *Client) error {
		return l.recorder.do(ctx, c, func(t *recorded) error {
			for range 1 + c.Rand().IntN(l.maxOps) {
				if err := l.operate(t, c.Rand()); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (l *listAppend) operate(t *recorded, rng *rand.Rand) error {
	place := rng.IntN(l.lists)
	switch rng.IntN(4) {
	case 0:
		t.appendBlindly(l.grow(place))
		return nil
	case 1:
		return t.appendByWriting(l.grow(place))
	case 2:
		_, err := t.readList(true, l.name(place))
		return err
	}
	_, err := t.readList(false, l.name(place))
	return err
}

// name is that of the list which a place has now.
func (l *listAppend) name(place int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("l%02d.%d", place, l.mu.appended[place]/l.maxElements)
}

// grow is name for a list that is going to be appended to.
func (l *listAppend) grow(place int) string {
	name := l.name(place)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.appended[place]++
	return name
}

// elementEnd ends each element of a list.
const elementEnd = ";"

// parseList returns the elements of a list.
func parseList(value []byte) ([]string, error) {
	if len(value) == 0 {
		return nil, nil
	}
	text, ok := strings.CutSuffix(string(value), elementEnd)
	if !ok {
		return nil, fmt.Errorf("a list is %q, without its end", value)
	}
	return strings.Split(text, elementEnd), nil
}

// appendBlindly appends without reading.
func (t *recorded) appendBlindly(name string) {
	element := fmt.Sprint(t.fresh())
	t.tx.AppendIfFits(t.key(t.window, name), []byte(element+elementEnd))
	t.ops = append(t.ops, history.Op{Kind: history.Append, Key: name, Value: element})
}

// appendByWriting reads the list and writes it with one element more.
func (t *recorded) appendByWriting(name string) error {
	value, err := t.readList(false, name)
	if err != nil {
		return err
	}
	element := fmt.Sprint(t.fresh())
	t.tx.Set(t.key(t.window, name), append(value, element+elementEnd...))
	t.ops = append(t.ops, history.Op{Kind: history.Append, Key: name, Value: element})
	return nil
}

// readList reads and records a list and returns it as it is stored.
func (t *recorded) readList(snapshot bool, name string) ([]byte, error) {
	var value []byte
	if err := t.settle(func() (err error) { value, err = t.reader(snapshot).Get(t.key(t.window, name)).Wait(); return err }); err != nil {
		return nil, err
	}
	elements, err := parseList(value)
	if err != nil {
		return nil, t.client.Violated("L3", "%v", err)
	}
	t.ops = append(t.ops, history.Op{Kind: history.ReadList, Key: name, List: elements, Snapshot: snapshot})
	return value, nil
}

// Check implements Workload.
func (l *listAppend) Check(ctx context.Context, env *Env) error {
	return l.recorder.audit(ctx, func(rows []kv.KeyValue) (ops []history.Op, err error) {
		for _, row := range rows {
			elements, err := parseList(row.Value)
			if err != nil {
				return nil, env.Violated("L3", "%q: %v", row.Key, err)
			}
			ops = append(ops, history.Op{Kind: history.ReadList, Key: string(row.Key), List: elements})
		}
		return ops, nil
	})
}
