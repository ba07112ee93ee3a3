package main

import (
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
)

// etcdCommand serves one member without peers. It never syncs to disk: a test cluster does not outlive its machine, and the
// scenarios kill processes, not the kernel.
func etcdCommand() *cobra.Command {
	var directory, client string
	command := &cobra.Command{
		Use:           "etcd",
		SilenceUsage:  true,
		SilenceErrors: false,
		RunE: func(*cobra.Command, []string) error {
			config := embed.NewConfig()
			config.Dir = directory
			address, err := url.Parse(client)
			if err != nil {
				return err
			}
			config.ListenClientUrls = []url.URL{*address}
			// A single member has no peers, but needs a peer listener: any free port. The advertised client address stays
			// the default: it is unused, and must not be a socket's path.
			config.ListenPeerUrls = []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
			config.UnsafeNoFsync = true
			config.LogLevel = "warn"
			// Its zero value logs every request.
			config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
			server, err := embed.StartEtcd(config)
			if err != nil {
				return err
			}
			defer server.Close()
			stop := make(chan os.Signal, 1)
			signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
			select {
			case <-stop:
				return nil
			case err := <-server.Err():
				return err
			}
		},
	}
	command.Flags().StringVar(&directory, "data-dir", "", "data directory")
	command.Flags().StringVar(&client, "listen-client-url", "http://127.0.0.1:2379", "client address")
	return command
}
