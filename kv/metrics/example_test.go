package metrics_test

import (
	"context"
	"fmt"
	"log"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
	"github.com/plinthdb/plinth/kv/metrics"
)

// A program registers one collector for each of its databases, and serves the
// registry with promhttp.
func ExampleNewCollector() {
	db, store, err := embedded.Open("orders", embedded.InMemory())
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.NewCollector(db, "orders"))

	_, err = kv.Transact(context.Background(), db, func(tx *kv.Transaction) (int, error) {
		tx.Set([]byte("hello"), []byte("world"))
		return 0, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "plinth_client_transactions_started_total" {
			fmt.Println(family.GetMetric()[0].GetCounter().GetValue(), "transaction was begun")
		}
	}
	// Output: 1 transaction was begun
}
