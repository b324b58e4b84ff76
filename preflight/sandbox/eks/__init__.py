"""EKS, owned whole: moto has too little of it to build on."""
