package resolver

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

const (
	testRole  wire.RoleID  = 7
	testFloor wire.Version = 1000
)

// request returns a batch at version of one transaction that read key at r and
// writes it.
func request(prev, version, r wire.Version, key string) *wire.ResolveRequest {
	keys := []wire.KeyRange{wire.SingleKey([]byte(key))}
	return &wire.ResolveRequest{
		Role: testRole, Prev: prev, Version: version,
		Transactions: []wire.ResolveTransaction{{ReadVersion: r, ReadConflicts: keys, WriteConflicts: keys}},
	}
}

func newTestResolver(t *testing.T, config Config) *Resolver {
	config.Role, config.Floor = testRole, testFloor
	r := New(config)
	t.Cleanup(r.Close)
	return r
}

func wantVerdict(t *testing.T, r *Resolver, req *wire.ResolveRequest, want wire.Verdict) {
	t.Helper()
	reply, err := r.Resolve(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if reply.Verdicts[0] != want {
		t.Fatalf("verdict %d at version %d, want %d", reply.Verdicts[0], req.Version, want)
	}
}

func wantError(t *testing.T, r *Resolver, req *wire.ResolveRequest, want error) {
	t.Helper()
	if _, err := r.Resolve(t.Context(), req); !errors.Is(err, want) {
		t.Fatalf("error %v at version %d, want %v", err, req.Version, want)
	}
}

func TestWhatWasReadBelowTheFloorIsTooOld(t *testing.T) {
	r := newTestResolver(t, Config{})
	wantVerdict(t, r, request(1000, 1010, 999, "a"), wire.TooOld)
	wantVerdict(t, r, request(1010, 1020, 1000, "a"), wire.Committed)
	wantVerdict(t, r, request(1020, 1030, 1019, "a"), wire.Conflict)
	st := r.Stats()
	if st.Batches != 3 || st.Transactions != 3 || st.TooOld != 1 || st.Conflicts != 1 || st.Set.Entries != 1 {
		t.Fatalf("stats %+v", st)
	}
}

func TestARepeatedRequestGetsTheSameAnswerUntilItIsAcknowledged(t *testing.T) {
	r := newTestResolver(t, Config{})
	first := request(1000, 1010, 1000, "a")
	wantVerdict(t, r, first, wire.Committed)
	wantVerdict(t, r, first, wire.Committed)
	second := request(1010, 1020, 1010, "a")
	wantVerdict(t, r, second, wire.Committed)
	wantVerdict(t, r, first, wire.Committed)
	third := request(1020, 1030, 1020, "a")
	third.Acknowledged = 1010
	wantVerdict(t, r, third, wire.Committed)
	wantError(t, r, first, wire.ErrStaleRole)
	wantVerdict(t, r, second, wire.Committed)
	if st := r.Stats(); st.Repeats != 3 || st.Answers != 2 || st.Batches != 3 {
		t.Fatalf("stats %+v", st)
	}
}

func TestOneProxyDoesNotAcknowledgeForAnother(t *testing.T) {
	r := newTestResolver(t, Config{})
	theirs := request(1000, 1010, 1000, "a")
	theirs.Proxy = 1
	ours := request(1010, 1020, 1010, "a")
	ours.Proxy = 2
	next := request(1020, 1030, 1020, "a")
	next.Proxy, next.Acknowledged = 2, 1020
	for _, req := range []*wire.ResolveRequest{theirs, ours, next, theirs} {
		wantVerdict(t, r, req, wire.Committed)
	}
	wantError(t, r, ours, wire.ErrStaleRole)
	theirs.Acknowledged = 1010
	wantError(t, r, theirs, wire.ErrStaleRole)
	if st := r.Stats(); st.Answers != 1 {
		t.Fatalf("%d answers are kept, want 1", st.Answers)
	}
}

func TestOnlyTheNewestAnswersAreKept(t *testing.T) {
	r := newTestResolver(t, Config{MaxAnswers: 3})
	for v := testFloor; v < testFloor+10; v++ {
		wantVerdict(t, r, request(v, v+1, v, "a"), wire.Committed)
	}
	wantVerdict(t, r, request(testFloor+7, testFloor+8, testFloor, "a"), wire.Committed)
	wantError(t, r, request(testFloor+6, testFloor+7, testFloor, "a"), wire.ErrStaleRole)
	if st := r.Stats(); st.Answers != 3 {
		t.Fatalf("%d answers are kept, want 3", st.Answers)
	}
}

func TestRequestsThatDoNotFitTheChainAreRefused(t *testing.T) {
	r := newTestResolver(t, Config{})
	wantVerdict(t, r, request(1000, 1010, 1000, "a"), wire.Committed)
	wantVerdict(t, r, request(1010, 1020, 1010, "a"), wire.Committed)
	other := request(1010, 1030, 1010, "a")
	wantError(t, r, other, wire.ErrChainBroken)
	wantError(t, r, request(1000, 1020, 1010, "a"), wire.ErrChainBroken)
	wantError(t, r, request(1020, 1020, 1010, "a"), wire.ErrVersionInvalid)
	other.Role++
	wantError(t, r, other, wire.ErrStaleRole)
	wantVerdict(t, r, request(1020, 1030, 1020, "a"), wire.Committed)
}

func TestBatchesAreDecidedInTheirOrderHoweverTheyArrive(t *testing.T) {
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			w := &workload{intn: rng.IntN, alphabet: "abc", maxLen: 2, pointsOf10: 7, quantum: 1, maxStep: 9, maxLag: 60}
			var requests []*wire.ResolveRequest
			for prev := testFloor; len(requests) < 40; {
				version := w.next(prev)
				requests = append(requests, &wire.ResolveRequest{Role: testRole, Prev: prev, Version: version, Transactions: w.batch(version)})
				prev = version
			}
			want := inOrder(t, requests)
			r := newTestResolver(t, Config{})
			got := make([]wire.ResolveReply, len(requests))
			var group sync.WaitGroup
			for _, i := range rng.Perm(len(requests)) {
				for range 1 + rng.IntN(2) { // some come twice
					group.Go(func() {
						reply, err := r.Resolve(t.Context(), requests[i])
						if err != nil {
							t.Errorf("version %d: %v", requests[i].Version, err)
							return
						}
						r.mu.Lock()
						defer r.mu.Unlock()
						got[i] = reply
					})
				}
				if rng.IntN(2) == 0 {
					synctest.Wait()
				}
			}
			group.Wait()
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: the answers depend on the order of arrival", seed)
			}
			if st := r.Stats(); st.Waiting != 0 || len(r.mu.arrivals) != 0 {
				t.Fatalf("%d requests and %d versions are waited for", st.Waiting, len(r.mu.arrivals))
			}
		})
	}
}

func inOrder(t *testing.T, requests []*wire.ResolveRequest) []wire.ResolveReply {
	r := newTestResolver(t, Config{})
	replies := make([]wire.ResolveReply, len(requests))
	for i, req := range requests {
		var err error
		if replies[i], err = r.Resolve(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	return replies
}

func TestABatchWhosePredecessorDoesNotArriveReportsTheStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r *Resolver
		var reported error
		r = newTestResolver(t, Config{OnStall: func(err error) {
			reported = err
			r.Close()
		}})
		begin := time.Now()
		wantError(t, r, request(1010, 1020, 1010, "a"), wire.ErrChainBroken)
		if waited := time.Since(begin); waited != 500*time.Millisecond {
			t.Fatalf("gave up after %v", waited)
		}
		if !errors.Is(reported, wire.ErrChainBroken) {
			t.Fatalf("reported %v", reported)
		}
		if st := r.Stats(); st.Stalls != 1 || st.Waiting != 0 {
			t.Fatalf("stats %+v", st)
		}
	})
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestResolver(t, Config{OnStall: func(err error) { t.Errorf("stall: %v", err) }})
		cause := errors.New("the caller has gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			synctest.Wait()
			cancel(cause)
		}()
		req := request(1010, 1020, 1010, "a")
		if _, err := r.Resolve(ctx, req); !errors.Is(err, cause) {
			t.Fatalf("error %v, want the context's cause", err)
		}
		if st := r.Stats(); st.Waiting != 0 || len(r.mu.arrivals) != 0 {
			t.Fatalf("stats %+v", st)
		}
		// When its turn has come a request is decided whatever its context says.
		wantVerdict(t, r, request(1000, 1010, 1000, "b"), wire.Committed)
		if reply, err := r.Resolve(ctx, req); err != nil || reply.Verdicts[0] != wire.Committed {
			t.Fatalf("reply %v, error %v", reply, err)
		}
	})
}

func TestCloseEndsTheWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestResolver(t, Config{})
		ended := make(chan error, 2)
		for _, prev := range []wire.Version{1010, 1020} {
			go func() {
				_, err := r.Resolve(t.Context(), request(prev, prev+10, 1010, "a"))
				ended <- err
			}()
		}
		synctest.Wait()
		r.Close()
		for range 2 {
			if err := <-ended; !errors.Is(err, wire.ErrGenerationEnded) {
				t.Fatalf("error %v", err)
			}
		}
		wantError(t, r, request(1000, 1010, 1000, "a"), wire.ErrGenerationEnded)
	})
}

func TestAtMostMaxWaitingRequestsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestResolver(t, Config{MaxWaiting: 1})
		ended := make(chan error, 1)
		go func() {
			_, err := r.Resolve(t.Context(), request(1010, 1020, 1010, "a"))
			ended <- err
		}()
		synctest.Wait()
		wantError(t, r, request(1020, 1030, 1010, "a"), wire.ErrChainBroken)
		wantVerdict(t, r, request(1000, 1010, 1000, "a"), wire.Committed)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		wantVerdict(t, r, request(1020, 1030, 1020, "a"), wire.Committed)
	})
}
