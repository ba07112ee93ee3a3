//go:build !api

package main

import (
	"context"

	"github.com/spf13/cobra"
	kubecontrollermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubescheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func init() {
	programs["kube-controller-manager"] = kubecontrollermanager.NewControllerManagerCommand
	programs["kube-scheduler"] = func() *cobra.Command { return kubescheduler.NewSchedulerCommand() }
	programs["kube-proxy"] = kubeproxy.NewProxyCommand
	programs["kubelet"] = func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }
}
