"""The developer community: a workspace of the brand's own that anybody who is signed in may join, and what is said in its spaces."""
