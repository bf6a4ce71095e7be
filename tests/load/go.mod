module golive.test/load

go 1.25.0
