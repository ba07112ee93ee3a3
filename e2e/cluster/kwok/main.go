// Command kwok simulates the kubelets of nodes without machines: a scheduled pod runs immediately, a deleted pod is removed
// immediately. `kwok stages` prints its configuration.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"sigs.k8s.io/kwok/kustomize/stage/node/fast"
	heartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	pods "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/kwok/cmd"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"
)

// options sets all parallelisms: a missing one counts as 0, which kwok refuses.
const options = `apiVersion: config.kwok.x-k8s.io/v1alpha1
kind: KwokConfiguration
options:
  manageAllNodes: true
  nodeLeaseDurationSeconds: 40
  podPlayStageParallelism: 16
  nodePlayStageParallelism: 4
  nodeLeaseParallelism: 4
  podsOnNodeSyncParallelism: 4
`

func main() {
	if len(os.Args) == 2 && os.Args[1] == "stages" {
		fmt.Print(stages())
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kwok:", err)
		os.Exit(1)
	}
}

// stages are kwok's own with two changes: no stage completes pods, because the load test decides how they end; and pods get no
// address, because the operator would dial it and the address may belong to another machine.
func stages() string {
	const address = "{{ with $podIPs }}"
	if !strings.Contains(pods.DefaultPodReady, address) {
		panic("kwok has changed its stage for pod addresses; update this replacement")
	}
	ready := strings.Replace(pods.DefaultPodReady, address, "{{ with false }}", 1)
	return strings.Join([]string{fast.DefaultNodeInit, heartbeat.DefaultNodeHeartbeatWithLease, ready, pods.DefaultPodDelete, options}, "\n---\n")
}

func run() error {
	flags := pflag.NewFlagSet("kwok", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, _ := log.InitFlags(signals.SetupSignalContext(), flags)
	ctx, err := config.InitFlags(ctx, flags)
	if err != nil {
		return err
	}
	command := cmd.NewCommand(ctx)
	command.PersistentFlags().AddFlagSet(flags)
	return command.ExecuteContext(ctx)
}
