//! Alpaca's simulator, written by somebody else from the same documentation.
