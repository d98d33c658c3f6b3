package cluster

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A store in a new directory was gone after a loss of power, because nobody had
// synced the directory that holds the data directory's name (simulation, seed 1
// of 2026-11-23).
func TestNewDataDirectorySurvivesALossOfPower(t *testing.T) {
	fs := vfs.NewCrashableMem()
	l := open(t, fs, "/parent/store")
	request := setRequest(readVersion(t, l), "key", "value")
	if _, err := l.Commit(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	crashed := fs.CrashClone(vfs.CrashCloneCfg{})
	closeStore(t, l)

	l = open(t, crashed, "/parent/store")
	defer closeStore(t, l)
	if got := get(t, l, "key"); got != "value" {
		t.Errorf("after the loss of power the key holds %s", got)
	}
}
