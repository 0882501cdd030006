module control-plane/oracle

go 1.26.0
