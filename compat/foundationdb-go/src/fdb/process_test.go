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
