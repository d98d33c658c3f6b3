package fdb

import "log/slog"

// DefaultClusterFile is the name that stands for the cluster file which the
// environment variable FDB_CLUSTER_FILE names, else for fdb.cluster in the
// working directory, else for the system's.
const DefaultClusterFile string = ""

// OpenDatabase opens the database that a cluster file stands for; the package
// comment says how one names a store. Close gives it back.
//
// Its errors are an Error: 1515 if there is no cluster file, 2104 if it holds
// no connection string, 2108 if it names servers, 9002 if another process has
// the directory open, or this one has and it was removed since, and those of a
// damaged or full disk. Which file or directory it is, and what to do, is logged
// at level error. Before APIVersion the error is 2200, after StopNetwork it is
// ErrNetworkIsStopped.
func OpenDatabase(clusterFile string) (Database, error) {
	if _, err := selected.get(); err != nil {
		return Database{}, err
	}
	dir, err := processEnvironment().directoryOf(clusterFile)
	if err != nil {
		return Database{}, told(slog.LevelError, err)
	}
	return openDirectory(dir)
}

// OpenWithConnectionString opens the database that a connection string stands
// for: plinth-embedded:DIR. Its errors are those of OpenDatabase.
func OpenWithConnectionString(connectionString string) (Database, error) {
	if _, err := selected.get(); err != nil {
		return Database{}, err
	}
	dir, err := directoryOfString(connectionString, "the connection string")
	if err != nil {
		return Database{}, told(slog.LevelError, err)
	}
	return openDirectory(dir)
}

func openDirectory(dir string) (Database, error) {
	s, err := process.acquire(dir)
	if err != nil {
		return Database{}, told(slog.LevelError, err)
	}
	return Database{&database{store: s}}, nil
}

// OpenDefault opens the database of DefaultClusterFile.
func OpenDefault() (Database, error) { return OpenDatabase(DefaultClusterFile) }

// Open opens the database of a cluster file. dbName must be "DB": error 2013.
//
// Deprecated: use OpenDatabase.
func Open(clusterFile string, dbName []byte) (Database, error) {
	if err := checkDatabaseName(dbName); err != nil {
		return Database{}, err
	}
	return OpenDatabase(clusterFile)
}

// MustOpen is Open, but panics with its error.
//
// Deprecated: use MustOpenDatabase.
func MustOpen(clusterFile string, dbName []byte) Database {
	return mustOpen(Open(clusterFile, dbName))
}

// MustOpenDatabase is OpenDatabase, but panics with its error.
func MustOpenDatabase(clusterFile string) Database { return mustOpen(OpenDatabase(clusterFile)) }

// MustOpenDefault is OpenDefault, but panics with its error.
func MustOpenDefault() Database { return mustOpen(OpenDefault()) }

func mustOpen(db Database, err error) Database {
	must(err)
	return db
}

func checkDatabaseName(dbName []byte) error {
	if _, err := selected.get(); err != nil {
		return err
	}
	if string(dbName) != "DB" {
		return errInvalidDatabaseName
	}
	return nil
}

// Cluster is a cluster file that a database can be opened by.
//
// Deprecated: use OpenDatabase.
type Cluster struct{ clusterFile string }

// CreateCluster returns a handle on the cluster that a cluster file stands for.
// Whether there is one shows when a database is opened.
//
// Deprecated: use OpenDatabase.
func CreateCluster(clusterFile string) (Cluster, error) {
	_, err := selected.get()
	return Cluster{clusterFile}, err
}

// OpenDatabase is Open with the handle's cluster file.
//
// Deprecated: use the function OpenDatabase.
func (c Cluster) OpenDatabase(dbName []byte) (Database, error) { return Open(c.clusterFile, dbName) }
