package metrics_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/metrics"
)

// scrape returns what a registry shows, as text.
func scrape(registry *prometheus.Registry) string {
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	return answer.Body.String()
}

func mustShow(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("there is no line %s in\n%s", line, text)
		}
	}
}

// register makes a database over a model and registers its collector.
func register(t *testing.T, registry *prometheus.Registry, name string) (*kv.Database, *model.Store) {
	t.Helper()
	store := model.New()
	db := kv.NewDatabase(store)
	if err := registry.Register(metrics.NewCollector(db, name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, store
}

// add adds one to the key "k", in a way that conflicts with theirs in its first
// try.
func add(t *testing.T, db *kv.Database, theirs func()) {
	t.Helper()
	tries := 0
	_, err := kv.Transact(t.Context(), db, func(tx *kv.Transaction) (int, error) {
		value, err := tx.Get([]byte("k")).Wait()
		if tries++; tries == 1 && theirs != nil {
			theirs()
		}
		tx.Set([]byte("k"), append(value, 'x'))
		return 0, err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTwoDatabasesOfAProcessDoNotMix(t *testing.T) {
	registry := prometheus.NewRegistry()
	orders, _ := register(t, registry, "orders")
	users, _ := register(t, registry, "users")
	add(t, orders, func() { add(t, orders, nil) })
	own := errors.New("own")
	if _, err := kv.Transact(t.Context(), users, func(*kv.Transaction) (int, error) { return 0, own }); err != own {
		t.Error(err)
	}
	mustShow(t, scrape(registry),
		`plinth_client_transactions_started_total{database="orders"} 2`,
		`plinth_client_transactions_started_total{database="users"} 1`,
		`plinth_client_transactions_total{database="orders",outcome="committed"} 2`,
		`plinth_client_transactions_total{database="users",outcome="committed"} 0`,
		`plinth_client_transactions_total{database="users",outcome="failed"} 1`,
		`plinth_client_transaction_failures_total{database="users",error="0"} 1`,
		`plinth_client_transaction_retries_total{database="orders",error="1020"} 1`,
		`plinth_client_conflicts_total{database="orders"} 1`,
		`plinth_client_conflicts_total{database="users"} 0`,
		`plinth_client_keys_read_total{database="orders"} 3`,
		`plinth_client_call_duration_seconds_count{call="commit",database="orders"} 3`,
		`plinth_client_call_duration_seconds_count{call="commit",database="users"} 0`,
	)
	if err := registry.Register(metrics.NewCollector(users, "users")); err == nil {
		t.Error("two collectors of one name were registered")
	}
}

// The clock of the bubble is exact.
func TestLatenciesAreHistogramsInSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		db, store := register(t, registry, "orders")
		store.Hook = func(_ context.Context, call string) error {
			if call == "GetValues" {
				<-time.After(3 * time.Millisecond)
			}
			return nil
		}
		add(t, db, nil)
		mustShow(t, scrape(registry),
			`plinth_client_call_duration_seconds_bucket{call="get",database="orders",le="0.002048"} 0`,
			`plinth_client_call_duration_seconds_bucket{call="get",database="orders",le="0.004096"} 1`,
			`plinth_client_call_duration_seconds_bucket{call="get",database="orders",le="16.777216"} 1`,
			`plinth_client_call_duration_seconds_bucket{call="get",database="orders",le="+Inf"} 1`,
			`plinth_client_call_duration_seconds_sum{call="get",database="orders"} 0.003`,
			`plinth_client_transaction_duration_seconds_sum{database="orders"} 0.003`,
			`plinth_client_hot_key_wait_seconds_count{database="orders"} 0`,
		)
	})
}

// Every metric is described, has its unit or "total" in its name, and passes the
// pedantic registry's checks of what is collected against what is described.
func TestMetricsAreNamedAsPrometheusAdvises(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	register(t, registry, "orders")
	families, err := registry.Gather()
	if err != nil || len(families) < 14 {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	name := regexp.MustCompile(`^plinth_client_[a-z_]+$`)
	for _, f := range families {
		kind, metric := f.GetType().String(), f.GetName()
		suffix := map[string]string{"COUNTER": "_total", "HISTOGRAM": "_seconds"}[kind]
		if f.GetHelp() == "" || !name.MatchString(metric) || !strings.HasSuffix(metric, suffix) {
			t.Errorf("%s %s: %q", kind, metric, f.GetHelp())
		}
	}
}

// docs/observability.md lists what there is.
func TestTheDocumentNamesEveryMetric(t *testing.T) {
	document, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	descriptions := make(chan *prometheus.Desc, 100)
	metrics.NewCollector(nil, "orders").Describe(descriptions)
	close(descriptions)
	name, n := regexp.MustCompile(`fqName: "(\w+)"`), 0
	for d := range descriptions {
		n++
		if match := name.FindStringSubmatch(d.String()); match == nil || !strings.Contains(string(document), "| `"+match[1]+"` |") {
			t.Errorf("no row for %v", d)
		}
	}
	if n < 17 {
		t.Errorf("%d metrics", n)
	}
}
