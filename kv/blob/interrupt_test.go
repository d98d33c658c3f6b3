package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/blob"
)

var errCut = errors.New("the process died")

// TestAnUploadThatIsCutAnywhereLeavesTheOldOrTheNew checks B1 and B2: an upload
// of many transactions ends at its n-th commit, before or after the store has
// carried that out, and nothing of the process survives.
func TestAnUploadThatIsCutAnywhereLeavesTheOldOrTheNew(t *testing.T) {
	old, next := content(1, 200), content(2, 300)
	for _, after := range []bool{false, true} {
		outcomes := map[string]int{}
		for cut := 1; ; cut++ {
			w := newWorld(t, 10, 50)
			_, err := w.files.Put(background, w.db, "a", bytes.NewReader(old))
			must(t, err)
			commits, dead := 0, false
			w.store.Hook = func(_ context.Context, call string) error {
				if call == "Commit" {
					commits++
				}
				if dead || !after && commits >= cut {
					dead = true
					return errCut
				}
				return nil
			}
			w.store.AfterCommit = func(context.Context) error {
				if commits >= cut {
					dead = true
					return errCut
				}
				return nil
			}
			_, err = w.files.Put(background, w.db, "a", bytes.NewReader(next))
			whole := !dead
			if whole != (err == nil) {
				t.Fatalf("cut at commit %d: %v", cut, err)
			}
			w.store.Hook, w.store.AfterCommit = nil, nil
			got := w.get(t, "a")
			switch {
			case bytes.Equal(got, old) && !whole:
				outcomes["old"]++
			case bytes.Equal(got, next):
				outcomes["new"]++
			default:
				t.Fatalf("cut at commit %d: the blob is %q", cut, got)
			}
			w.sweepAll(t, map[string][]byte{"a": got})
			if whole {
				break
			}
		}
		// Six full batches, and the switch, after which the new is there.
		if want := map[bool]int{false: 7, true: 6}[after]; outcomes["old"] != want || outcomes["new"] < 1 {
			t.Errorf("cut after the commit %v: %v", after, outcomes)
		}
	}
}

// TestAnUploadWhoseAnswersAreLostIsWhole lets the outcome of every commit be
// unknown once.
func TestAnUploadWhoseAnswersAreLostIsWhole(t *testing.T) {
	w := newWorld(t, 10, 50)
	data := content(1, 300)
	lost := false
	w.store.AfterCommit = func(context.Context) error {
		if lost = !lost; lost {
			return wire.ErrCommitUnknownResult
		}
		return nil
	}
	for range 2 {
		_, err := w.files.Put(background, w.db, "a", bytes.NewReader(data))
		must(t, err)
	}
	w.store.AfterCommit = nil
	w.sweepAll(t, map[string][]byte{"a": data})
}

// TestReadersSeeTheOldOrTheNewDuringAnUpload checks B1 and B3 after every commit
// of an upload.
func TestReadersSeeTheOldOrTheNewDuringAnUpload(t *testing.T) {
	w := newWorld(t, 10, 50)
	old, next := content(1, 200), content(2, 300)
	_, err := w.files.Put(background, w.db, "a", bytes.NewReader(old))
	must(t, err)
	early, err := w.files.Open(background, w.db, "a")
	must(t, err)
	seen := map[string]int{}
	w.store.AfterCommit = func(context.Context) error {
		switch got := w.get(t, "a"); {
		case bytes.Equal(got, old):
			seen["old"]++
		case bytes.Equal(got, next):
			seen["new"]++
		default:
			t.Errorf("read %q", got)
		}
		return nil
	}
	_, err = w.files.Put(background, w.db, "a", bytes.NewReader(next))
	must(t, err)
	w.store.AfterCommit = nil
	if seen["old"] != 6 || seen["new"] != 1 {
		t.Errorf("seen %v", seen)
	}
	if n, err := early.ReadAt(make([]byte, 10), 0); n != 0 || !errors.Is(err, blob.ErrChanged) {
		t.Errorf("a reader of the old content reads %d bytes, error %v", n, err)
	}
	if _, err := io.Copy(io.Discard, early); !errors.Is(err, blob.ErrChanged) {
		t.Errorf("a copy of the old content: %v", err)
	}
}

// TestWritersOfOneNameEachReplaceTheWhole lets some uploads of one name take
// turns in random order.
func TestWritersOfOneNameEachReplaceTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, 4, 8)
		defer w.db.Close()
		want := map[string][]byte{}
		n := rapid.IntRange(2, 3).Draw(t, "writers")
		writers, data := make([]*blob.Writer, n), make([][]byte, n)
		for i := range writers {
			writers[i] = w.files.Create(background, w.db, "a")
		}
		for open := n; open > 0; {
			i := rapid.IntRange(0, n-1).Draw(t, "writer")
			if writers[i] == nil {
				continue
			}
			switch rapid.SampledFrom([]string{"write", "write", "commit", "close"}).Draw(t, "step") {
			case "write":
				part := content(i, rapid.IntRange(1, 20).Draw(t, "bytes"))
				_, err := writers[i].Write(part)
				must(t, err)
				data[i] = append(data[i], part...)
			case "commit":
				_, err := writers[i].Commit()
				must(t, err)
				want["a"] = append([]byte{}, data[i]...)
				fallthrough
			case "close":
				must(t, writers[i].Close())
				writers[i] = nil
				open--
			}
			if got := w.get(t, "a"); !bytes.Equal(got, want["a"]) {
				t.Fatalf("the blob is %q, want %q", got, want["a"])
			}
		}
		w.sweepAll(t, want)
	})
}

func TestAnUploadThatWasTakenForGivenUpFails(t *testing.T) {
	w := newWorld(t, 10, 50)
	writeSome := func(name string) *blob.Writer {
		up := w.files.Create(background, w.db, name)
		_, err := up.Write(content(1, 120))
		must(t, err)
		return up
	}
	slow, alive := writeSome("slow"), writeSome("alive")
	for range leaseVersions/10 - 1 { // alive renews its lease, which takes 5 chunks
		_, err := alive.Write(content(2, 50))
		must(t, err)
	}
	if n, err := w.files.Sweep(background, w.db); n != 1 || err != nil {
		t.Errorf("swept %d, error %v", n, err)
	}
	if _, err := slow.Commit(); !errors.Is(err, blob.ErrAbandoned) {
		t.Errorf("slow: %v", err)
	}
	if _, err := slow.Write([]byte{1}); !errors.Is(err, blob.ErrClosed) {
		t.Errorf("write after that: %v", err)
	}
	_, err := alive.Commit()
	must(t, err)
	given := writeSome("given up")
	w.endLeases(t)
	writeSome("given up") // removes the one before
	if _, err := given.Commit(); !errors.Is(err, blob.ErrAbandoned) {
		t.Errorf("given up: %v", err)
	}
	w.sweepAll(t, map[string][]byte{"alive": w.get(t, "alive")})
}

func TestAContextEndsAnUploadWithoutLeavings(t *testing.T) {
	w := newWorld(t, 10, 50)
	ctx, cancel := context.WithCancel(background)
	src := io.MultiReader(bytes.NewReader(content(1, 120)), readerFunc(func([]byte) (int, error) {
		cancel()
		return 0, nil
	}), bytes.NewReader(content(1, 120)))
	_, err := w.files.Put(ctx, w.db, "a", src)
	var named *blob.Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &named) || named.Name != "a" {
		t.Errorf("error %v", err)
	}
	if rows := w.store.Rows(); len(rows) != 0 {
		t.Errorf("%d rows are left", len(rows))
	}
}

// The content comes slowly and never fills a transaction: the end of the context ends
// the upload with the next bytes all the same.
func TestTheEndOfAContextEndsASlowUpload(t *testing.T) {
	w := newWorld(t, 1000, 10_000)
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(background)
	asked := 0
	_, err := w.files.Put(ctx, w.db, "a", readerFunc(func(p []byte) (int, error) {
		if asked++; asked == 3 {
			cancel(gone)
		}
		if asked == 100 {
			return 0, io.EOF
		}
		return copy(p, "some"), nil
	}))
	if !errors.Is(err, gone) || asked != 3 {
		t.Errorf("%v after %d reads", err, asked)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) {
	n, err := f(p)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

func TestAFailingSourceLeavesNothing(t *testing.T) {
	w := newWorld(t, 10, 50)
	broken := errors.New("source broke")
	src := io.MultiReader(bytes.NewReader(content(1, 120)), readerFunc(func([]byte) (int, error) { return 0, broken }))
	if _, err := w.files.Put(background, w.db, "a", src); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	idle := readerFuncIdle{}
	if _, err := w.files.Put(background, w.db, "a", idle); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("source that gives nothing: %v", err)
	}
	if rows := w.store.Rows(); len(rows) != 0 {
		t.Errorf("%d rows are left", len(rows))
	}
}

type readerFuncIdle struct{}

func (readerFuncIdle) Read([]byte) (int, error) { return 0, nil }

func TestConditionsOfUploads(t *testing.T) {
	w := newWorld(t, 10, 50)
	put := func(size int, options ...blob.PutOption) (blob.Info, error) {
		return w.files.Put(background, w.db, "a", bytes.NewReader(content(1, size)), options...)
	}
	first, err := put(20, blob.IfAbsent())
	must(t, err)
	for _, size := range []int{20, 200} { // in one transaction and in many
		if _, err := put(size, blob.IfAbsent()); !errors.Is(err, blob.ErrPrecondition) {
			t.Errorf("absent: %v", err)
		}
		second, err := put(size, blob.IfMatch(first.ID))
		must(t, err)
		if _, err := put(size, blob.IfMatch(first.ID)); !errors.Is(err, blob.ErrPrecondition) {
			t.Errorf("match: %v", err)
		}
		first = second
	}
	must(t, w.transact(func(tx *kv.Transaction) error { return w.files.Delete(tx, "a") }))
	if _, err := put(20, blob.IfMatch(first.ID)); !errors.Is(err, blob.ErrPrecondition) {
		t.Errorf("match after delete: %v", err)
	}
	w.sweepAll(t, nil)
}
