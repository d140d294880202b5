"""The edge between HTTP and the product: routes, reading requests, rendering answers, wording refusals."""
