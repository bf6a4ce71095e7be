module golive.test/kube-state

go 1.25.0
