package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// mapStore is the simplest store there is: a map under a mutex.
type mapStore struct {
	mu struct {
		sync.Mutex
		rows map[string][]byte
	}
	// failing is what every operation returns, if it is not nil.
	failing error
	// forgetful loses the updates of Modify.
	forgetful bool
}

// driverOf makes a driver whose only store is s.
func driverOf(s *mapStore) Driver {
	s.mu.rows = map[string][]byte{}
	return Driver{Name: "map", Isolated: true, Open: func(string, Settings) (Store, error) { return s, nil }}
}

func (s *mapStore) get(key []byte) ([]byte, error) {
	value := s.mu.rows[string(key)]
	return value, errors.Join(s.failing, CheckValue(key, value))
}

func (s *mapStore) Read(_ context.Context, keys [][]byte) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		_, failed := s.get(key)
		err = errors.Join(err, failed)
	}
	return err
}

func (s *mapStore) Write(_ context.Context, keys [][]byte, value []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		s.mu.rows[string(key)] = slices.Clone(value)
	}
	return 0, s.failing
}

func (s *mapStore) ReadWrite(ctx context.Context, keys [][]byte, key, value []byte) (int, error) {
	if err := s.Read(ctx, keys); err != nil {
		return 0, err
	}
	return s.Write(ctx, [][]byte{key}, value)
}

// Modify says that it needed two retries.
func (s *mapStore) Modify(_ context.Context, key []byte, change func([]byte) ([]byte, error)) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.get(key)
	if err != nil {
		return 0, err
	}
	value, err := change(old)
	if err == nil && !s.forgetful {
		s.mu.rows[string(key)] = value
	}
	return 2, err
}

func (s *mapStore) Scan(context.Context, []byte, int) (int, error) { return 0, s.failing }

func (s *mapStore) Close() error { return nil }

// loaded opens and loads s for three clients.
func loaded(t *testing.T, s *mapStore, seconds float64) *Session {
	t.Helper()
	session, err := Open(driverOf(s), "", Settings{Records: MinRecords, Clients: 3, Seconds: seconds})
	if err != nil {
		t.Fatal(err)
	}
	r, err := session.Load(t.Context())
	// One transaction more writes the hot key; it is not counted.
	if err != nil || r.Transactions != MinRecords/loadRows || len(s.mu.rows) != MinRecords+1 {
		t.Fatalf("load wrote %d rows in %d transactions, %v", len(s.mu.rows), r.Transactions, err)
	}
	return session
}

func hot(t *testing.T) Workload {
	t.Helper()
	w, err := WorkloadNamed("hot1")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// runSome runs hot1 until there is something to show, however slow the machine.
func runSome(t *testing.T, session *Session) (Result, []Progress, error) {
	t.Helper()
	stop, busy := make(chan struct{}), 0
	var told []Progress
	r, err := session.Run(t.Context(), hot(t), RunOptions{Stop: stop, TellEvery: time.Millisecond, Tell: func(p Progress) {
		told = append(told, p)
		if p.PerSecond > 0 {
			busy++
		}
		// Each of the three clients may have brought one commit from before.
		if busy == 5 {
			close(stop)
			busy++
		}
	}})
	return r, told, err
}

func TestARunCountsWhatItMeasuresAndChecksAll(t *testing.T) {
	session := loaded(t, &mapStore{}, 3600)
	r, _, err := runSome(t, session)
	if err != nil || r.Transactions == 0 || r.Checked < r.Transactions || r.RetriesEach() != 2 {
		t.Errorf("%+v with %g retries each, %v", r, r.RetriesEach(), err)
	}
	if r.Seconds <= 0 || r.PerSecond <= 0 || r.P99Micros < r.P50Micros || r.Memory.MaxHeapBytes == 0 {
		t.Errorf("%+v", r)
	}
}

func TestARunEndsWhenItsTimeIsOver(t *testing.T) {
	session := loaded(t, &mapStore{}, 0.01)
	if r, err := session.Run(t.Context(), hot(t), RunOptions{}); err != nil || r.Seconds < 0.01 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestALostUpdateFailsTheRunAndKeepsTheFigures(t *testing.T) {
	session := loaded(t, &mapStore{forgetful: true}, 3600)
	r, _, err := runSome(t, session)
	if err == nil || !strings.Contains(err.Error(), "updates were lost") || r.Transactions == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAFailureEndsTheRunAtOnce(t *testing.T) {
	store := &mapStore{}
	session := loaded(t, store, 3600)
	store.failing = errors.New("the disk is gone")
	if _, err := session.Run(t.Context(), hot(t), RunOptions{}); !errors.Is(err, store.failing) {
		t.Errorf("error %v", err)
	}
}

func TestAStoppedRunReturnsWhatItMeasuredSoFar(t *testing.T) {
	session := loaded(t, &mapStore{}, 3600)
	r, told, err := runSome(t, session)
	if err != nil || r.Transactions == 0 || r.Checked < r.Transactions || r.Seconds >= 3600 {
		t.Errorf("%+v, %v", r, err)
	}
	for i, p := range told {
		if p.HeapBytes == 0 || (i > 0 && p.Elapsed <= told[i-1].Elapsed) {
			t.Errorf("progress %d is %+v", i, p)
		}
	}
}

func TestARunStoppedWhileWarmingUpMeasuresNothing(t *testing.T) {
	session := loaded(t, &mapStore{}, 3600)
	session.settings.WarmUpSeconds = 3600
	stop := make(chan struct{})
	close(stop)
	r, err := session.Run(t.Context(), hot(t), RunOptions{Stop: stop})
	if err != nil || r.Transactions != 0 || r.Seconds != 0 || r.PerSecond != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTheEndOfTheContextIsAnError(t *testing.T) {
	session := loaded(t, &mapStore{}, 3600)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	if _, err := session.Run(ctx, hot(t), RunOptions{}); !errors.Is(err, reason) {
		t.Errorf("error %v", err)
	}
}

func TestKeysHaveTheirLengthAndOrder(t *testing.T) {
	r := newRecords(1000)
	for i, key := range r.keys {
		if len(key) != KeyBytes || (i > 0 && string(r.keys[i-1]) >= string(key)) {
			t.Fatalf("key %d is %q", i, key)
		}
	}
	if last := string(r.keys[len(r.keys)-1]); string(hotKey()) <= last || len(hotKey()) != KeyBytes {
		t.Errorf("the hot key %q is not behind %q", hotKey(), last)
	}
	first, second := newClient(r, 1), newClient(r, 1)
	if fmt.Sprint(first.pick(5)) != fmt.Sprint(second.pick(5)) {
		t.Error("the same seed picks different keys")
	}
}

func TestIncrementAddsOneToTheCounterAlone(t *testing.T) {
	value := []byte(strings.Repeat("x", ValueBytes))
	changed, err := Increment(value)
	if err != nil || binary.LittleEndian.Uint64(changed) != binary.LittleEndian.Uint64(value)+1 || string(changed[8:]) != string(value[8:]) {
		t.Errorf("%q became %q, %v", value, changed, err)
	}
	if _, err := Increment(value[1:]); err == nil {
		t.Error("a short value was incremented")
	}
}

func TestFsyncTimesGrowWithEveryMeasurementAndLeaveNoFile(t *testing.T) {
	dir := t.TempDir()
	var f FsyncTimes
	for n := 1; n <= 2; n++ {
		if err := f.Measure(dir); err != nil {
			t.Fatal(err)
		}
		if len(f.micros) != n*fsyncsPerMeasure || f.P99Micros < f.MedianMicros {
			t.Errorf("%d samples, %v", len(f.micros), &f)
		}
	}
	if err := f.Measure(dir + "/missing"); err == nil {
		t.Error("a directory that does not exist was measured")
	}
}
