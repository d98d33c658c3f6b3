// Command stacktester runs a program of FoundationDB's binding tester on the
// compat module:
//
//	stacktester PREFIX API_VERSION [CLUSTER_FILE]
//
// It reads the instructions under PREFIX from the database, executes them and
// writes their results there. The exit status is 0 if every instruction could
// be executed, 1 if not, and 2 if the arguments are wrong.
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/tests/conformance/fdbclient"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

func main() {
	if len(os.Args) < 3 || len(os.Args) > 4 {
		fmt.Fprintln(os.Stderr, "usage: stacktester PREFIX API_VERSION [CLUSTER_FILE]")
		os.Exit(2)
	}
	version, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fmt.Fprintf(os.Stderr, "stacktester: the API version %q is not a number\n", os.Args[2])
		os.Exit(2)
	}
	clusterFile := ""
	if len(os.Args) == 4 {
		clusterFile = os.Args[3]
	}
	if err := run([]byte(os.Args[1]), version, clusterFile); err != nil {
		fmt.Fprintln(os.Stderr, "stacktester:", err)
		os.Exit(1)
	}
}

// run runs the program under prefix. An empty clusterFile stands for the
// default one.
func run(prefix []byte, version int, clusterFile string) error {
	if err := fdb.APIVersion(version); err != nil {
		return fmt.Errorf("API version %d: %w", version, err)
	}
	db, err := fdb.OpenDatabase(clusterFile)
	if err != nil {
		return err
	}
	defer db.Close()
	return machine.Run(fdbclient.New(db), prefix)
}
