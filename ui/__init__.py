"""The interface: Gradio components and the plain functions behind them. No engine logic in here."""
