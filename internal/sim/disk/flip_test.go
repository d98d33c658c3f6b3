package disk

import (
	"errors"
	"math/bits"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func noLogs(string) bool { return false }

func mustSync(t *testing.T, f vfs.File) {
	t.Helper()
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

// wrongBits counts the bits in which two strings of one length differ.
func wrongBits(a, b string) (n int) {
	for i := range a {
		n += bits.OnesCount8(a[i] ^ b[i])
	}
	return n
}

func TestAFlippedReadIsFollowedByARightOne(t *testing.T) {
	d, _ := newTestDisk(Config{})
	m := d.Mount()
	content := strings.Repeat("plinth", 100)
	write(t, mustCreate(t, m, "/a"), content)
	d.SetFaults(Faults{ReadFlips: 1})
	for range 10 {
		if got := wrongBits(read(t, m, "/a"), content); got != 1 {
			t.Fatalf("D8: %d wrong bits in a read that flips one", got)
		}
		if read(t, m, "/a") != content {
			t.Fatal("D8: the read after a flipped one is wrong too")
		}
	}
	if got := d.Stats().Flips; got != 10 {
		t.Errorf("%d flips counted, want 10", got)
	}
	d.SetFaults(Faults{})
	if read(t, m, "/a") != content {
		t.Error("a healthy disk returned a wrong bit")
	}
}

func TestRotStaysThroughALossOfPowerUntilItIsWrittenAgain(t *testing.T) {
	d, trace := newTestDisk(Config{})
	m := d.Mount()
	f := mustCreate(t, m, "/a")
	content := strings.Repeat("plinth", 1000)
	write(t, f, content)
	mustSync(t, f)
	mustSyncDir(t, m, "/")
	if !d.Rot(noLogs) {
		t.Fatal("nothing could rot")
	}
	for range 2 {
		if got := wrongBits(read(t, m, "/a"), content); got != 1 {
			t.Errorf("D8: %d wrong bits after one has rotted\n%s", got, trace)
		}
		d.PowerLoss()
		m = d.Mount()
	}
	f, err := m.OpenReadWrite("/a", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(content), 0); err != nil {
		t.Fatal(err)
	}
	if read(t, m, "/a") != content {
		t.Error("a file that was written again is still wrong")
	}
}

func TestOnlyWhatIsOnTheDiskCanRot(t *testing.T) {
	d, _ := newTestDisk(Config{})
	m := d.Mount()
	f := mustCreate(t, m, "/a")
	write(t, f, "unsynced")
	if d.Rot(noLogs) {
		t.Error("D8: what was never synced has rotted")
	}
	mustSync(t, f)
	if !d.Rot(noLogs) {
		t.Error("what was synced cannot rot")
	}
}

func TestTheEndOfALogDoesNotRot(t *testing.T) {
	d, _ := newTestDisk(Config{})
	m := d.Mount()
	f := mustCreate(t, m, "/a.wal")
	isLog := func(name string) bool { return name == "/a.wal" }
	block := strings.Repeat("x", blockBytes)
	write(t, f, block)
	mustSync(t, f)
	if d.Rot(isLog) {
		t.Fatal("D8: the end of a log has rotted")
	}
	write(t, f, block+block)
	mustSync(t, f)
	mustSyncDir(t, m, "/")
	d.PowerLoss()
	m = d.Mount()
	for range 20 {
		if !d.Rot(isLog) {
			t.Fatal("a block that another one follows cannot rot")
		}
	}
	if got := read(t, m, "/a.wal"); got[blockBytes:] != block+block || got[:blockBytes] == block {
		t.Error("D8: something else than the first block of a log of two syncs has rotted")
	}
}

func TestTheNewestLogRotsMoreOften(t *testing.T) {
	d, _ := newTestDisk(Config{})
	m := d.Mount()
	isLog := func(name string) bool { return strings.HasSuffix(name, ".wal") }
	block := strings.Repeat("x", blockBytes)
	for _, name := range []string{"/1.wal", "/2.wal", "/3", "/4", "/5", "/6", "/7", "/8", "/9"} {
		f := mustCreate(t, m, name)
		for range 2 {
			write(t, f, block)
			mustSync(t, f)
		}
	}
	const bits = 1000
	for range bits {
		if !d.Rot(isLog) {
			t.Fatal("nothing can rot")
		}
	}
	// A third of all, and a ninth of the others: 407 on average, with a standard
	// deviation of 16. A bit that has rotted twice is right again.
	newest := wrongBits(read(t, m, "/2.wal"), block+block)
	if older := wrongBits(read(t, m, "/1.wal"), block+block); newest < 3*older {
		t.Errorf("%d bits of the newest log are wrong, and %d of the other", newest, older)
	}
}

func TestAnErasedDiskIsEmptyAndItsMountsAreDead(t *testing.T) {
	d, _ := newTestDisk(Config{})
	m := d.Mount()
	f := mustCreate(t, m, "/a")
	write(t, f, "lost")
	mustSync(t, f)
	d.Erase()
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, ErrDead) {
		t.Errorf("D2: a read from a lost disk: %v", err)
	}
	if names, err := d.Mount().List("/"); err != nil || len(names) != 0 {
		t.Errorf("a new disk holds %v (%v)", names, err)
	}
	if d.UsedBytes() != 0 || d.Rot(noLogs) {
		t.Error("an empty disk has something on it")
	}
}
