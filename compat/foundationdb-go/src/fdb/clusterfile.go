package fdb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// embeddedPrefix begins the name or the content of a cluster file that means a
// store inside the process.
const embeddedPrefix = "plinth-embedded:"

// clusterFileVariable is the environment variable that names the cluster file
// of a program that names none.
const clusterFileVariable = "FDB_CLUSTER_FILE"

// maxClusterFileBytes is more than any cluster file has.
const maxClusterFileBytes = 1 << 20

// whatToWrite ends the errors of opening.
const whatToWrite = "write plinth-embedded:DIR, as the name or the content of the cluster file, to open a store in the directory DIR"

// environment is what finding a cluster file depends on.
type environment struct {
	lookup      func(name string) (string, bool)
	defaultFile string // of the system
}

func processEnvironment() environment {
	return environment{lookup: os.LookupEnv, defaultFile: systemClusterFile(runtime.GOOS)}
}

// systemClusterFile returns where FoundationDB's packages put the cluster file.
func systemClusterFile(system string) string {
	switch system {
	case "darwin", "freebsd":
		return "/usr/local/etc/foundationdb/fdb.cluster"
	case "windows":
		return `C:\ProgramData\foundationdb\fdb.cluster`
	}
	return "/etc/foundationdb/fdb.cluster"
}

// directoryOf returns the directory of the store that a cluster file stands
// for. An empty name stands for the file that the environment names, else for
// fdb.cluster in the working directory, else for the system's.
func (e environment) directoryOf(clusterFile string) (string, error) {
	if clusterFile != "" {
		return directoryOfNamed(clusterFile)
	}
	if named, ok := e.lookup(clusterFileVariable); ok {
		if named == "" {
			return "", detailed(errNoClusterFile, "the environment variable %s is empty; remove it, or let it name a cluster file", clusterFileVariable)
		}
		return directoryOfNamed(named)
	}
	const local = "fdb.cluster"
	if _, err := os.Stat(local); err == nil {
		return directoryOfNamed(local)
	}
	if _, err := os.Stat(e.defaultFile); err != nil {
		return "", detailed(errNoClusterFile, "no cluster file is named, by the program or by %s, and there is neither %s in the working directory nor %s: %s",
			clusterFileVariable, local, e.defaultFile, whatToWrite)
	}
	return directoryOfNamed(e.defaultFile)
}

func directoryOfNamed(clusterFile string) (string, error) {
	if dir, ok := strings.CutPrefix(clusterFile, embeddedPrefix); ok {
		return checkedDirectory(dir, "cluster file name "+clusterFile)
	}
	content, err := readClusterFile(clusterFile)
	if err != nil {
		return "", err
	}
	what := "cluster file " + clusterFile
	dir, err := directoryOfString(content, what)
	if err != nil || filepath.IsAbs(dir) {
		return dir, err
	}
	return filepath.Join(filepath.Dir(clusterFile), dir), nil
}

// readClusterFile returns the content of a cluster file without comments and
// white space around it.
func readClusterFile(name string) (string, error) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxClusterFileBytes {
		return "", detailed(errConnectionString, "cluster file %s has %d bytes; it should hold one line", name, info.Size())
	}
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &detailedError{number: errNoClusterFile, text: "there is no cluster file " + name + ": " + whatToWrite, cause: err}
	}
	if err != nil {
		return "", &detailedError{number: errFileNotReadable, text: "cluster file " + name + " cannot be read: " + err.Error(), cause: err}
	}
	var kept strings.Builder
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, "#")
		kept.WriteString(strings.TrimSpace(line))
	}
	return kept.String(), nil
}

// directoryOfString returns the directory of the store that a connection string
// stands for. what says where the string is from.
func directoryOfString(connection, what string) (string, error) {
	connection = strings.TrimSpace(connection)
	if dir, ok := strings.CutPrefix(connection, embeddedPrefix); ok {
		return checkedDirectory(dir, what)
	}
	if isConnectionString(connection) {
		return "", detailed(errUnsupported, "%s names a cluster of servers (%s), which Plinth cannot connect to yet: %s", what, shortened(connection), whatToWrite)
	}
	return "", detailed(errConnectionString, "%s holds %q, which is no connection string: %s", what, shortened(connection), whatToWrite)
}

func checkedDirectory(dir, what string) (string, error) {
	if dir == "" {
		return "", detailed(errConnectionString, "%s names no directory behind %s", what, embeddedPrefix)
	}
	return dir, nil
}

// connectionString is FoundationDB's description:ID@address,address.
var connectionString = regexp.MustCompile(`^[0-9A-Za-z_]+:[0-9A-Za-z]+@[^@,\s]+:[0-9]+(:tls|\(fromHostname\))*(,[^@,\s]+:[0-9]+(:tls|\(fromHostname\))*)*$`)

func isConnectionString(s string) bool { return connectionString.MatchString(s) }

func shortened(s string) string {
	const shown = 80
	if len(s) > shown {
		return s[:shown] + "..."
	}
	return s
}
