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

// task is what a process of its own does for a test, and tells.
type task struct {
	name string
	run  func(dir string) string
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
	case stopping.name:
		fmt.Println(stopping.run(dir))
	case unset.name:
		fmt.Println(unset.run(dir))
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
