package wal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// verify runs Verify, and makes sure that it changed nothing.
func verify(t *testing.T, fs *vfs.MemFS) (Verified, []entry, error) {
	t.Helper()
	before := filesOf(t, fs)
	var seen []entry
	v, err := Verify(collect(smallOptions(fs), &seen))
	after := filesOf(t, fs)
	for name, content := range before {
		if !bytes.Equal(content, after[name]) {
			t.Errorf("Verify changed %s", name)
		}
	}
	if len(before) != len(after) {
		t.Errorf("there were %d files, after Verify there are %d", len(before), len(after))
	}
	return v, seen, err
}

func TestVerifySeesWhatOpenReplays(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	fs := vfs.NewCrashableMem()
	l, _ := reopen(t, smallOptions(fs))
	for life := range uint64(10) {
		appendRun(t, l, life*100, life*100+100)
		crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		v, seen, err := verify(t, crashed)
		if err != nil {
			t.Fatal(err)
		}
		if v.Records != int64(len(seen)) || v.Segments == 0 || v.Bytes == 0 || v.FileBytes < v.Bytes || v.Oldest == 0 || v.Newest < v.Oldest {
			t.Errorf("life %d: Verify saw %+v", life, v)
		}
		again, kept := reopen(t, smallOptions(crashed))
		sameEntries(t, seen, kept)
		mustClose(t, again)
		l.DropBefore(kept[len(kept)/2].position)
	}
	mustClose(t, l)
}

func TestVerifyFindsTheDamageThatOpenFinds(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := reopen(t, smallOptions(fs))
	appendRun(t, l, 0, 200)
	mustClose(t, l)
	files := filesOf(t, fs)
	first := segmentName(linkedSegments(files)[0])
	for _, at := range []int{0, 20, segmentHeaderBytes + 3, 5000, 9000, 12000} {
		damaged := bytes.Clone(files[first])
		damaged[at] ^= 0x10
		broken := fsOf(t, files)
		writeFile(t, broken, testDir+"/"+first, damaged)
		_, _, err := verify(t, broken)
		_, openErr := Open(smallOptions(broken))
		if !errors.Is(err, wire.ErrFileCorrupt) || openErr == nil || err.Error() != openErr.Error() {
			t.Errorf("byte %d: Verify says %v, Open says %v", at, err, openErr)
		}
	}
}

func TestVerifyNamesWhereTheCallersErrorArose(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := reopen(t, smallOptions(fs))
	entries := appendRun(t, l, 0, 3)
	mustClose(t, l)
	o, reason := smallOptions(fs), errors.New("not to my liking")
	o.Replay = func(r Record, _ Position) error {
		if r.Index == 2 {
			return reason
		}
		return nil
	}
	_, err := Verify(o)
	p := entries[2].position
	if !errors.Is(err, reason) || !strings.Contains(err.Error(), fmt.Sprintf("%s, offset %d:", segmentName(p.Segment), p.Offset)) {
		t.Errorf("Verify says %v, the record is at %v", err, p)
	}
}
