"""The same tasks and the same offers as JSON and as CSV."""

JSON_TASKS = """[
 {"name": "render-1", "demand": {"cpu": "2 cores", "memory": "4GiB"}, "devices": 1,
  "requirements": [{"attribute": "gpu", "in": ["V100", "T4"]}, {"attribute": "zone", "not_in": ["c"]}]},
 {"name": "render-2", "demand": {"cpu": 0.5}, "device_share": 460}]"""


CSV_TASKS = """\
name,demand.cpu,demand.memory,devices,device_share,requires.gpu,requires.zone
render-1,2 cores,4GiB,1,,V100|T4,!c
render-2,500m,,,460,,
"""


JSON_OFFERS = """[
 {"name": "server-1", "available": {"cpu": "48 cores", "memory": "180GiB"},
  "capacity": {"cpu": "48 cores", "memory": "192GiB"}, "attributes": {"gpu": "V100", "zone": "a"}, "devices": [1000, 540]},
 {"name": "server-2", "available": {"cpu": 8}, "attributes": {"gpu": null}, "devices": 2},
 {"name": "server-3", "devices": [540]}]"""


CSV_OFFERS = """\
name,available.cpu,available.memory,capacity.cpu,capacity.memory,attribute.gpu,attribute.zone,devices
server-1,48 cores,180GiB,48 cores,192GiB,V100,a,1000|540
server-2,8,,,,,,2
server-3,,,,,,,540|
"""
