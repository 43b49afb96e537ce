"""How clients reach the server: stdin and stdout, or HTTP."""
