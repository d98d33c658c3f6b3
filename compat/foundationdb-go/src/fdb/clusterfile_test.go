package fdb

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRealConnectionStringsAreRecognized(t *testing.T) {
	for s, want := range map[string]bool{
		"fdb:abc@127.0.0.1:4500":                                true,
		"my_cluster:X1@10.0.0.1:4500,10.0.0.2:4500":             true,
		"fdb:abc@[::1]:4500:tls":                                true,
		"fdb:abc@host.example.com:4500(fromHostname)":           true,
		"fdb:abc@10.0.0.1:4500:tls,host:4501:tls(fromHostname)": true,
		"":                       false,
		"fdb":                    false,
		"fdb:abc":                false,
		"fdb:abc@":               false,
		"fdb:abc@127.0.0.1":      false,
		"f d b:abc@127.0.0.1:1":  false,
		"plinth-embedded:a@b:12": false,
	} {
		if got := isConnectionString(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestEverySystemHasADefaultClusterFile(t *testing.T) {
	for system, want := range map[string]string{
		"linux":   "/etc/foundationdb/fdb.cluster",
		"darwin":  "/usr/local/etc/foundationdb/fdb.cluster",
		"windows": `C:\ProgramData\foundationdb\fdb.cluster`,
	} {
		if got := systemClusterFile(system); got != want {
			t.Errorf("%s: %s", system, got)
		}
	}
}

func TestTheSystemsClusterFileComesLast(t *testing.T) {
	t.Chdir(t.TempDir())
	name := filepath.Join(t.TempDir(), "system.cluster")
	e := environment{lookup: func(string) (string, bool) { return "", false }, defaultFile: name}
	if err := os.WriteFile(name, []byte("plinth-embedded:/somewhere"), 0o600); err != nil {
		t.Fatal(err)
	}
	if dir, err := e.directoryOf(""); err != nil || dir != "/somewhere" {
		t.Errorf("%s, %v", dir, err)
	}
}

// Whatever a cluster file holds: it names a directory, or the error has a number
// and says what to write.
func FuzzTheContentOfAClusterFile(f *testing.F) {
	for _, seed := range []string{"", "plinth-embedded:data", "# comment\n  plinth-embedded:a b # more\n", "fdb:abc@127.0.0.1:4500\n", "\x00\xff", "plinth-embedded:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		name := filepath.Join(t.TempDir(), "fdb.cluster")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		dir, err := directoryOfNamed(name)
		if err == nil {
			if !filepath.IsAbs(dir) || !strings.Contains(content, embeddedPrefix) {
				t.Errorf("%q names %q", content, dir)
			}
			return
		}
		var number Error
		if !errors.As(err, &number) || !strings.Contains(err.Error(), embeddedPrefix) {
			t.Errorf("%q: %v", content, err)
		}
	})
}
