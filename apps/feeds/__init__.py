"""The machines' doors: imports, the simulator, storms.

Everything it brings in passes the same services as any other source.
"""
