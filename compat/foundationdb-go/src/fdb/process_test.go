package fdb_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(taskVariable); task != "" {
		inProcess(task, os.Getenv(dirVariable))
		os.Exit(0)
	}
	fdb.MustAPIVersion(730)
	os.Exit(m.Run())
}

// inProcess does what a test wants to see done by a process of its own.
func inProcess(task, dir string) {
	switch task {
	case "open":
		fdb.MustAPIVersion(730)
		_, err := fdb.OpenDatabase("plinth-embedded:" + dir)
		fmt.Println(err)
	case "commit and exit":
		fdb.MustAPIVersion(710)
		if _, err := fdb.MustOpenDatabase("plinth-embedded:" + dir).Transact(setK); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("committed")
	case "stop":
		fmt.Println(stopNetwork(dir))
	case "unset":
		fmt.Println(withoutVersion(dir))
	default:
		version, err := strconv.Atoi(task)
		if err != nil {
			fmt.Println(err)
			return
		}
		fdb.MustAPIVersion(version)
		fmt.Println(underVersion(fdb.MustOpenDatabase("plinth-embedded:" + dir)))
	}
}

func setK(tr fdb.Transaction) (interface{}, error) {
	tr.Set(fdb.Key("k"), []byte("v"))
	return nil, nil
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
