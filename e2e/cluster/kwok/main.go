// Command kwok plays the kubelets of nodes that nobody has: a pod that was placed on one runs at once, one that is to
// leave is gone at once. `kwok stages` prints the configuration that it is started with.
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

// options names every parallelism: one that a configuration leaves out is 0, and kwok refuses that.
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

// stages are kwok's own but for two things. How a pod ends is the load's to say: without the stage that completes pods. And
// no pod gets an address: it would be somebody's, and the operator would dial it.
func stages() string {
	const address = "{{ with $podIPs }}"
	if !strings.Contains(pods.DefaultPodReady, address) {
		panic("kwok says in other words now that a pod has addresses; leave them out anew")
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
