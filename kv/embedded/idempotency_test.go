package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// revived is a store whose client outlives it: it ends in the middle of a
// commit and is opened again.
type revived struct {
	*atomic.Pointer[cluster.Local]
	t  *testing.T
	fs vfs.FS
	// fate says what becomes of a commit of a transaction; nil: nothing special.
	fate func(commit func() (wire.CommitReply, error)) (wire.CommitReply, error)
}

func (r *revived) reopen() {
	if old := r.Load(); old != nil {
		if err := old.Close(); err != nil {
			r.t.Error(err)
		}
	}
	local, err := cluster.OpenLocal(context.Background(), cluster.LocalConfig{FS: r.fs, Dir: "data"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Store(local)
}

func (r *revived) ReadVersion(ctx context.Context, q wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	return r.Load().ReadVersion(ctx, q)
}

func (r *revived) GetValues(ctx context.Context, q *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	return r.Load().GetValues(ctx, q)
}

func (r *revived) GetRange(ctx context.Context, q *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	return r.Load().GetRange(ctx, q)
}

func (r *revived) GetKey(ctx context.Context, q *wire.GetKeyRequest) (wire.GetKeyReply, error) {
	return r.Load().GetKey(ctx, q)
}

func (r *revived) Watch(ctx context.Context, q *wire.WatchRequest) (wire.WatchReply, error) {
	return r.Load().Watch(ctx, q)
}

func (r *revived) Commit(ctx context.Context, q *wire.CommitRequest) (wire.CommitReply, error) {
	commit := func() (wire.CommitReply, error) { return r.Load().Commit(ctx, q) }
	if len(q.IdempotencyID) == 0 || r.fate == nil {
		return commit()
	}
	return r.fate(commit)
}

// Through the end of a generation, and as many more, a lost answer is found
// out: ids are data.
func TestALostAnswerIsFoundOutAfterRecoveries(t *testing.T) {
	for _, committed := range []bool{true, false} {
		for _, recoveries := range []int{1, 3} {
			t.Run(fmt.Sprint(committed, recoveries), func(t *testing.T) {
				store := &revived{Pointer: new(atomic.Pointer[cluster.Local]), t: t, fs: vfs.NewMem()}
				store.reopen()
				db := kv.NewDatabase(store)
				defer func() {
					if err := errors.Join(db.Close(), store.Load().Close()); err != nil {
						t.Error(err)
					}
				}()
				runs := 0
				_, err := kv.Transact(t.Context(), db, func(tx *kv.Transaction) (int, error) {
					tx.Add([]byte("k"), []byte{1})
					switch runs++; runs {
					case 1:
						store.fate = func(commit func() (wire.CommitReply, error)) (wire.CommitReply, error) {
							if committed {
								if _, err := commit(); err != nil {
									t.Error(err)
								}
							}
							for range recoveries {
								store.reopen()
							}
							if !committed { // it arrives late, in another generation
								if _, err := commit(); !errors.Is(err, wire.ErrTransactionTooOld) {
									t.Errorf("a request of an old generation: %v", err)
								}
							}
							return wire.CommitReply{}, wire.ErrCommitUnknownResult
						}
					default:
						store.fate = nil
					}
					return 0, nil
				})
				want := 1
				if !committed {
					want = 2
				}
				if err != nil || runs != want {
					t.Errorf("%d runs, want %d: %v", runs, want, err)
				}
				expect(t, db, "k", "\x01")
			})
		}
	}
}
