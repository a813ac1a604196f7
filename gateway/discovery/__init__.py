"""What programs and agents find by themselves: the OpenAPI document, llms.txt, plugin and skill manifests."""
