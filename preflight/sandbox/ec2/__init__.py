"""What EC2 does and moto does not: life cycles, dependencies, interfaces, lists."""
