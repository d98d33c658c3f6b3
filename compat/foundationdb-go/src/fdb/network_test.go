package fdb_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

var stopping, unset = task{"stop", stopNetwork}, task{"unset", withoutVersion}

func TestStopNetworkClosesEverythingForGood(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	mustEqual(t, process(t, stopping.name, dir), "ok")
	db := fdb.MustOpenDatabase("plinth-embedded:" + dir)
	defer db.Close()
	mustEqual(t, get(t, db, "k"), "v")
}

func TestNothingWorksBeforeAnAPIVersionIsSelected(t *testing.T) {
	mustEqual(t, process(t, unset.name, t.TempDir()), "ok")
}

func stopNetwork(dir string) string {
	fdb.MustAPIVersion(730)
	if err := fdb.StartNetwork(); err != nil {
		return "StartNetwork: " + err.Error()
	}
	if err := fdb.StopNetwork(); err != fdb.ErrNetworkNotStarted {
		return fmt.Sprint("StopNetwork before: ", err)
	}
	db := fdb.MustOpenDatabase("plinth-embedded:" + dir)
	other := fdb.MustOpenDatabase("plinth-embedded:" + dir)
	if _, err := db.Transact(setK); err != nil {
		return err.Error()
	}
	if err := fdb.StopNetwork(); err != nil {
		return "StopNetwork: " + err.Error()
	}
	for _, db := range []fdb.Database{db, other} {
		if _, err := db.Transact(setK); err != error(fdb.Error{Code: 9001}) {
			return fmt.Sprint("Transact after: ", err)
		}
		db.Close() // does no harm
	}
	if err := fdb.StopNetwork(); err != fdb.ErrNetworkAlreadyStopped {
		return fmt.Sprint("StopNetwork again: ", err)
	}
	if _, err := fdb.OpenDatabase("plinth-embedded:" + dir); err != fdb.ErrNetworkIsStopped {
		return fmt.Sprint("OpenDatabase after: ", err)
	}
	return "ok"
}

func withoutVersion(dir string) string {
	unset := error(fdb.Error{Code: 2200})
	name := "plinth-embedded:" + dir
	for what, f := range map[string]func() error{
		"OpenDatabase":             func() error { _, err := fdb.OpenDatabase(name); return err },
		"OpenWithConnectionString": func() error { _, err := fdb.OpenWithConnectionString(name); return err },
		"Open":                     func() error { _, err := fdb.Open(name, []byte("DB")); return err },
		"OpenDefault":              func() error { _, err := fdb.OpenDefault(); return err },
		"CreateCluster":            func() error { _, err := fdb.CreateCluster(name); return err },
		"StartNetwork":             fdb.StartNetwork,
		"StopNetwork":              fdb.StopNetwork,
		"GetAPIVersion":            func() error { _, err := fdb.GetAPIVersion(); return err },
		"an option":                func() error { return fdb.Options().SetTraceEnable("") },
	} {
		if err := f(); err != unset {
			return fmt.Sprint(what, ": ", err)
		}
	}
	if fdb.IsAPIVersionSelected() {
		return "a version is selected"
	}
	for _, version := range []int{0, 199, 731, 1 << 40} {
		if err := fdb.APIVersion(version); err != error(fdb.Error{Code: 2203}) {
			return fmt.Sprint(version, ": ", err)
		}
	}
	if err := fdb.APIVersion(200); err != nil {
		return err.Error()
	}
	if err := fdb.Options().SetTraceEnable(""); err != nil {
		return err.Error()
	}
	return "ok"
}
